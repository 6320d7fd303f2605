/** The words of `docs/benchmarks.md` that don't change from run to run. */

export const INTRODUCTION =
  'Measured figures only, also where they fall short; `npm run bench` writes this page. One machine runs everything: ' +
  'each system in turn with two server processes and a fresh Redis, and the load generators in processes of their own.'

export const READING = `## How to read it

- **The peers** are chats as a careful user would write them, in [\`bench/peers\`](../bench/peers). \`sio\` is Socket.IO with
  its Redis adapter, \`sio-uws\` the same on its uWebSockets.js engine, \`ws\` the tutorials' chat: plain \`ws\` and Redis pub/sub.
  *Durable* ones write log and inbox, and dedupe by ref, in one script before the ack; *bare* ones store nothing. \`uws\` is
  uWebSockets.js alone, one process without login, JSON or store, which echoes or publishes: the ceiling. The table of what
  was to be reached holds Starling against Socket.IO on Node's own server, which is how most run it.
- **Generators** are the same for all, and speak each system's frames over raw sockets. Where one of them was at its limit,
  the notes name it, and a throughput is a lower bound.
- **CPU** is what the kernel's scheduler gave to all threads of servers and Redis, over what was done meanwhile. It hardly
  depends on how the cores were shared with the generators; messages a second do.
- **Redis** is set as [the shipped one](../deploy/redis/redis.conf), for every system alike.
- **AOF rewrites** come as that configuration has them, and their child's CPU counts as the store's. With many conversations one
  takes seconds: a short measurement holds a whole one, or none, and its figure of CPU is that much higher or lower. So where
  Starling stands against itself at several sizes of conversations, gateways and masters, none is measured.
- **Growth** of gateways and masters is measured with the load growing along: as many messages under way for each as the small
  cluster has. Beside it stands the small one's load spread over the larger cluster, which costs more a message: what a
  call, a wake-up and a publish cost is shared by fewer of them.
- **Latencies** are from an open loop: each message is due at a fixed time whatever has become of those before it, and its
  latency counts from then, the generator's own lateness included.
- **Medians** of interleaved repeats, least and greatest in parentheses; a figure without them is of one. A repeat during which
  other work, or the host, took more than a twentieth of the machine is left out and measured again, some times at most.
- Every message of a run is followed to its receivers: a lost, doubled or disordered one of ours fails the run. In groups,
  *out of order* counts how often a member saw two messages in another order than the one before.
- **Memory** is the growth of the servers' resident memory over the connections that caused it, after fifteen quiet seconds;
  the kernel's socket buffers are not in it. A gateway of Starling has what a burst leaves behind collected once it is quiet
  ([\`src/lib/tidy.ts\`](../src/lib/tidy.ts)); Node.js by itself does not, and the peers don't ask it to.
- **Node.js** runs the peers with its defaults; Starling's gateways set two flags of V8 themselves, in
  [\`src/main.ts\`](../src/main.ts).
- **[The soak](soak.md)** is an hour at half of what gets through with one message of each sender under way, with both memory
  curves.`
