/**
 * Who may know whom (docs/design.md draws it):
 *   protocol ← client ← web · gateway, http → services → ports ← store · gateway, cluster → bus port ← its buses
 */

/** @param {string} name @param {string} comment @param {object} from @param {object} to */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

/** The composition root, which alone sees everything. */
const ROOT = '^src/(main|compose)\\.ts$'

module.exports = {
  forbidden: [
    forbid(
      'no-cycles',
      'A cycle hides which part owns what.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    forbid('resolvable', 'An import must lead somewhere.', {}, { couldNotResolve: true }),
    forbid(
      'protocol-knows-nothing',
      'The contract is imported by all and imports nothing of ours.',
      { path: '^protocol/' },
      { path: '^(src|client|web|scripts|test|bench)/' },
    ),
    forbid(
      'client-knows-protocol',
      'The SDK stands on the contract alone.',
      { path: '^client/src' },
      { path: '^(src|web|scripts|test|bench)/' },
    ),
    forbid(
      'web-knows-client',
      'The page reaches the cluster through the SDK.',
      { path: '^web/src' },
      { path: '^(src|scripts|test|bench)/' },
    ),
    forbid(
      'server-knows-no-client',
      'The server does not build on its own clients, nor on its tools.',
      { path: '^src/' },
      { path: '^(client|web|scripts|test|bench)/' },
    ),
    forbid(
      'services-know-ports',
      'Services decide; sockets, Redis and channels come to them through ports.',
      { path: '^src/services/' },
      { path: '^src/(gateway|http|store|bus|cluster)/' },
    ),
    forbid(
      'store-knows-ports',
      'The store implements what services ask for, and knows no more of them.',
      { path: '^src/store/' },
      { path: '^src/(services/(?!ports\\.ts)|gateway|http|cluster)/' },
    ),
    forbid(
      'bus-knows-nobody',
      'The bus carries what a port asks for; who listens is not its business.',
      { path: '^src/bus/' },
      { path: '^src/(gateway|http|services|cluster)/', pathNot: '^src/services/ports[.]ts$' },
    ),
    forbid(
      'no-concrete-bus',
      'Only the composition root chooses a bus; all others see its port.',
      { path: '^src/(gateway|http|services|cluster|store)/' },
      { path: '^src/bus/(redis|memory)-bus' },
    ),
    forbid(
      'no-store-in-gateway',
      'Gateway and HTTP go through services.',
      { path: '^src/(gateway|http)/' },
      { path: '^src/store/' },
    ),
    forbid(
      'lib-knows-nothing',
      'lib has no domain words.',
      { path: '^src/lib/' },
      { path: '^(src/(?!lib/)|protocol)' },
    ),
    forbid(
      'redis-in-its-place',
      'ioredis lives in store, bus and cluster.',
      { path: '^(src|client|web|protocol)/', pathNot: ['^src/(store|bus|cluster)/', ROOT] },
      { path: 'node_modules/ioredis/' },
    ),
    forbid(
      'sockets-in-one-file',
      'uWebSockets.js can be replaced where it is met once.',
      { path: '.', pathNot: '^(src/gateway/server-uws\\.ts$|bench/peers/)' },
      { path: 'node_modules/uWebSockets\\.js/' },
    ),
    forbid(
      'no-test-support-in-scripts',
      'Scripts serve tests, not the other way round.',
      { path: '^scripts/' },
      { path: '^(test|bench)/' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    includeOnly: '^(src|protocol/src|client/src|web/src|scripts|test|bench|node_modules)/',
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['starling-source', 'types', 'import', 'node', 'default'],
    },
  },
}
