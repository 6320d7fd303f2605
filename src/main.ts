/**
 * The process of one gateway: environment in, signals, exit code out.
 */
import { setFlagsFromString } from 'node:v8'
import { ConfigError, readConfig } from './config.ts'
import { BootError } from './lib/boot-error.ts'

/** A drain that hangs must not keep the process: this much longer than configured, ms. */
const DRAIN_MARGIN_MS = 10_000

// Nearly all garbage of a gateway is young, and hardly any of it survives: threads that help to collect it cost more than
// they save. They took an eighth of a message's CPU.
setFlagsFromString('--no-parallel-scavenge')

// A crowd that comes to a gateway that has just started runs all of a connect before V8 takes it for hot: plain machine code
// from the first call on takes a fifth off what such a crowd costs.
setFlagsFromString('--always-sparkplug')

try {
  const config = readConfig(process.env)
  // Loaded here and not above: it takes a second, and a signal that comes meanwhile would go unheard, since nothing
  // else ends a container's process 1.
  const starting = import('./compose.ts').then(({ startGateway }) => startGateway(config))
  const leave = () => {
    setTimeout(() => process.exit(1), config.DRAIN_SECONDS * 1000 + DRAIN_MARGIN_MS).unref()
    starting
      .then((gateway) => gateway.close())
      .then(
        () => process.exit(0),
        (fault: unknown) => {
          console.error(fault)
          process.exit(1)
        },
      )
  }
  process.on('SIGTERM', leave)
  process.on('SIGINT', leave)
  await starting
} catch (fault) {
  console.error(fault instanceof ConfigError || fault instanceof BootError ? fault.message : fault)
  process.exit(fault instanceof ConfigError ? 2 : 1)
}
