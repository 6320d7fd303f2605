/** A gateway's HTTP side, with one credential or none. Says what came back and judges nothing. */

export interface Answer<Body> {
  status: number
  headers: Headers
  /** The JSON of the answer; undefined where it has no body. */
  body: Body
}

/** An error as every endpoint answers it. */
export interface ErrorAnswer {
  error: { code: string; message: string; field?: string; retryIn?: number }
}

export class HttpSide {
  readonly #base: string
  readonly #bearer: () => string | undefined

  /** @param base where paths start, such as `http://127.0.0.1:8080/api/v1` */
  constructor(base: string, bearer: () => string | undefined) {
    this.#base = base
    this.#bearer = bearer
  }

  /** @param body sent as JSON; a string or bytes as they are */
  async request<Body = unknown>(method: string, path: string, body?: unknown): Promise<Answer<Body>> {
    const bearer = this.#bearer()
    const asIs = typeof body === 'string' || body instanceof Uint8Array
    const answer = await fetch(this.#base + path, {
      method,
      headers: {
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: asIs ? (body as string) : JSON.stringify(body) }),
    })
    const words = await answer.text()
    const isJson = answer.headers.get('content-type')?.includes('json')
    const read = words === '' ? undefined : isJson ? JSON.parse(words) : words
    return { status: answer.status, headers: answer.headers, body: read as Body }
  }

  get<Body = unknown>(path: string) {
    return this.request<Body>('GET', path)
  }

  post<Body = unknown>(path: string, body: unknown = {}) {
    return this.request<Body>('POST', path, body)
  }

  put<Body = unknown>(path: string, body?: unknown) {
    return this.request<Body>('PUT', path, body)
  }

  patch<Body = unknown>(path: string, body: unknown) {
    return this.request<Body>('PATCH', path, body)
  }

  delete<Body = unknown>(path: string) {
    return this.request<Body>('DELETE', path)
  }
}
