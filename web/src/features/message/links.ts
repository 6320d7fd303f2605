/** Web addresses in texts. */

export interface Piece {
  text: string
  /** Given where the piece is an address. */
  href?: string
}

/** An address ends before what closes a sentence; full-width punctuation ends it too. */
const ADDRESS =
  /https?:\/\/[^\s<>"'，。；：！？、（）《》「」【】]*[^\s<>"'，。；：！？、（）《》「」【】.,;:!?)\]}]/giu

/** @returns the address if a browser may be sent there, undefined for `javascript:` and its like */
export function safeLink(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, href } = new URL(text)
  return protocol === 'http:' || protocol === 'https:' ? href : undefined
}

/** @returns the text in pieces, which together are the text again */
export function linksIn(text: string): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  for (const match of text.matchAll(ADDRESS)) {
    const href = safeLink(match[0])
    if (href === undefined) continue
    if (match.index > at) pieces.push({ text: text.slice(at, match.index) })
    pieces.push({ text: match[0], href })
    at = match.index + match[0].length
  }
  if (at < text.length) pieces.push({ text: text.slice(at) })
  return pieces
}
