import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { PortHolder } from './port-holder.ts';

it('names a process that has the port, at whatever address, as long as it has the port', async () => {
  for (const [type, address] of [
    ['udp4', '0.0.0.0'],
    ['udp4', '127.0.0.1'],
    ['udp6', '::'],
  ] as const) {
    const socket = createSocket(type).bind(0, address);
    await once(socket, 'listening');
    const holder = new PortHolder(socket.address().port);
    for (let times = 0; times < 2; times++) expect(holder.stranger(4)).toContain(`process ${process.pid} (`);
    socket.close();
    await once(socket, 'close');
    expect(holder.stranger(4)).toBeUndefined();
  }
});
