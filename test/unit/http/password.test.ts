/** Passwords: kept so that only the right one fits, and that nobody can tell whether there is one. */
import { expect, test } from 'vitest'
import { hashPassword, isPassword } from '../../../src/lib/password.ts'

const hash = await hashPassword('correct horse 🐎 à')

test('the right one fits, in every spelling Unicode has for it', async () => {
  expect(await isPassword('correct horse 🐎 à', hash)).toBe(true)
  expect(await isPassword('correct horse 🐎 a\u0300', hash)).toBe(true)
  for (const wrong of ['correct horse 🐎', 'Correct horse 🐎 à', '', 'correct horse 🐎 à ']) {
    expect(await isPassword(wrong, hash)).toBe(false)
  }
})

test('the same password twice is kept differently, and not as it is', async () => {
  expect(await hashPassword('correct horse 🐎 à')).not.toBe(hash)
  expect(hash).not.toContain('horse')
})

test('a hash with other parameters is still understood', async () => {
  const { scryptSync } = await import('node:crypto')
  const key = scryptSync('old', 'salt', 32, { N: 1024, r: 4, p: 2 })
  const old = `scrypt$10$4$2$${Buffer.from('salt').toString('base64url')}$${key.toString('base64url')}`
  expect([await isPassword('old', old), await isPassword('new', old)]).toEqual([true, false])
})

test('where there is no account the answer is no, whatever is shown', async () => {
  expect(await isPassword('', undefined)).toBe(false)
  expect(await isPassword('anything at all', undefined)).toBe(false)
})
