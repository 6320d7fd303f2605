/** Every store suite on a single Redis. */
import { describe, inject } from 'vitest'
import { storeSuites } from './suites/all.ts'

describe('on a single Redis', () =>
  storeSuites(async () => ({ url: inject('redisUrl'), stop: async () => {} })))
