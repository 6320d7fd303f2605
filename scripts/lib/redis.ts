/**
 * Gets `npm start` its Redis: REDIS_URL, else a server on the PATH, else Docker, else the system's package. One of our
 * own keeps its data in a folder and is set as a deployment's should be.
 */
import { mkdirSync } from 'node:fs'
import { dockerAnswers, dockerRedis, REDIS_IMAGE } from './docker.ts'
import { installPackages } from './packages.ts'
import { findRedisServer, type Launch, type RedisServer, startRedisServer } from './redis-server.ts'
import { REDIS_SETTINGS } from './redis-settings.ts'
import { UserError } from './user-error.ts'

export type FoundRedis = { kind: 'given'; url: string } | ({ kind: 'own' } & RedisServer)

/** @throws UserError with what to do, where there is none to be had */
export async function getRedis(dir: string): Promise<FoundRedis> {
  const url = process.env['REDIS_URL']
  if (url) return { kind: 'given', url }
  mkdirSync(dir, { recursive: true })

  const installed = findRedisServer()
  if (installed) return startIn(dir, installed)
  if (dockerAnswers()) {
    console.log(`Starting ${REDIS_IMAGE} in Docker …`)
    try {
      return { kind: 'own', ...(await startRedisServer(dockerRedis(dir), REDIS_SETTINGS)) }
    } catch (fault) {
      // An engine without the image, and without a way to get it, is as good as none.
      console.error((fault as Error).message)
    }
  }
  return startIn(dir, installRedisServer())
}

/** A server on the PATH, installed first where there is none. @throws UserError with what to do, where that fails */
export function installRedisServer(): Launch {
  const found = findRedisServer()
  if (found) return found
  installPackages(
    'redis',
    'No Redis (7.0 or later) here: neither REDIS_URL nor redis-server, valkey-server or Docker.',
  )
  const launch = findRedisServer()
  if (!launch)
    throw new UserError('The Redis of this system is older than 7.0: install a later one, or set REDIS_URL.')
  return launch
}

async function startIn(dir: string, launch: Launch): Promise<FoundRedis> {
  return { kind: 'own', ...(await startRedisServer(launch, { ...REDIS_SETTINGS, dir })) }
}
