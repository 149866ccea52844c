// A TCP transfer: `bulk receive PORT` prints "listening", then the number of bytes and the milliseconds from the first to the last;
// `bulk send ADDRESS PORT MIB TEXT` sends the text again and again.
import { connect, createServer } from 'node:net';

const [, , verb, ...words] = process.argv;
if (verb === 'receive') receive(Number(words[0]));
else send(words[0] ?? '', Number(words[1]), Number(words[2]), words[3] ?? '');

function receive(port: number): void {
  const server = createServer((socket) => {
    let [bytes, began] = [0, 0];
    socket.on('data', (chunk) => {
      if (bytes === 0) began = performance.now();
      bytes += chunk.length;
    });
    socket.on('end', () => {
      console.log(`${bytes} ${performance.now() - began}`);
      socket.end();
      server.close();
    });
  });
  server.listen(port, () => console.log('listening'));
}

function send(address: string, port: number, mebibytes: number, text: string): void {
  const chunk = Buffer.alloc(2 ** 16, text);
  const socket = connect(port, address);
  let left = mebibytes * 2 ** 20;
  const fill = (): void => {
    while (left > 0) {
      left -= chunk.length;
      if (!socket.write(chunk)) return;
    }
    socket.end();
  };
  socket.on('drain', fill).once('connect', fill).resume();
}
