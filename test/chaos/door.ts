/**
 * Runs inside the network namespace of a second engine and lets tests outside connect to ports in there:
 * whoever connects to its socket names a port on the first line, and is connected to it from then on.
 * Ends with its standard input, so that it never outlives the test.
 */
import { connect, createServer, type Socket } from 'node:net';

const [path = ''] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, (near) => {
  near.on('error', () => near.destroy());
  let line = '';
  const onData = (chunk: Buffer): void => {
    const text = chunk.toString('latin1');
    const end = text.indexOf('\n');
    line += end < 0 ? text : text.slice(0, end);
    if (end < 0) return;
    near.off('data', onData).pause();
    open(near, Number(line), chunk.subarray(end + 1));
  };
  near.on('data', onData);
});

function open(near: Socket, port: number, first: Buffer): void {
  const far = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  far.on('error', () => near.destroy());
  far.once('close', () => near.destroy());
  near.once('close', () => far.destroy());
  far.once('connect', () => {
    far.write(first);
    near.pipe(far);
    far.pipe(near);
  });
}

server.listen(path, () => process.stdout.write('open\n'));
process.stdin.resume().once('end', () => process.exit(0));
