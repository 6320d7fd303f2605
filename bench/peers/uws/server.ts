/**
 * The ceiling: uWebSockets.js alone. No login, no JSON, no store, no second node. A send is echoed; a publish goes to
 * all of its group.
 */
import { App, us_socket_local_port } from 'uWebSockets.js'

const PUBLISH_LETTER = '{"type":"'.length
const [LOGIN, PUBLISH] = [0x6c, 0x70]
const WELCOME = '{"type":"welcome"}'
const ACK = '{"type":"ack"}'

const app = App()
app.get('/readyz', (response) => void response.end())
app.ws<{ topic: string }>('/*', {
  message(socket, message) {
    const letter = new Uint8Array(message)[PUBLISH_LETTER]
    if (letter === LOGIN) {
      const { topic } = JSON.parse(Buffer.from(message).toString()) as { topic: string }
      socket.getUserData().topic = topic
      socket.subscribe(topic)
      socket.send(WELCOME)
    } else if (letter === PUBLISH) {
      socket.publish(socket.getUserData().topic, message)
      socket.send(ACK)
    } else {
      socket.send(message)
    }
  },
})
app.listen('127.0.0.1', Number(process.env['PORT']), (listening) => {
  if (!listening || us_socket_local_port(listening) <= 0) process.exit(1)
})
