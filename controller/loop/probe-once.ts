import { request } from 'node:http';
import { connect } from 'node:net';
import { codeOf } from '../../schemas/errors.ts';
import type { ProbeSpec } from '../../schemas/program.ts';

/**
 * A connection that stays open this long reached the program: the engine's own proxy accepts on the published
 * port at once and hangs up when nothing listens behind it, on a busy machine after 50 ms and more.
 */
const TCP_LINGER_MS = 250;

/** Asks once. Resolves with `""` for a success, otherwise with why not. Never rejects. */
export type ProbeOnce = (port: number, probe: ProbeSpec) => Promise<string>;

/** Asks over the published port of this machine. */
export const probeOnce: ProbeOnce = (port, probe) => {
  if (probe.kind === 'none') return Promise.resolve('');
  return probe.kind === 'http'
    ? probeHttp(port, probe.path, probe.timeoutSeconds)
    : probeTcp(port, probe.timeoutSeconds);
};

function probeHttp(port: number, path: string, timeoutSeconds: number): Promise<string> {
  return new Promise((resolve) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        agent: false,
        headers: { 'user-agent': 'hersh-probe', connection: 'close' },
      },
      (response) => {
        const { statusCode = 0 } = response;
        response.destroy();
        finish(statusCode >= 200 && statusCode < 300 ? '' : `GET ${path} answered ${statusCode}`);
      },
    );
    const timer = setTimeout(() => {
      finish(`GET ${path} gave no answer within ${timeoutSeconds} s`);
      asked.destroy();
    }, timeoutSeconds * 1000);
    const finish = (message: string) => {
      clearTimeout(timer);
      resolve(message);
    };
    asked.on('error', (error) => finish(`GET ${path}: ${whyCut(error)}`));
    asked.end();
  });
}

function probeTcp(port: number, timeoutSeconds: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const finish = (message: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(message);
    };
    let timer = setTimeout(() => finish(`no connection within ${timeoutSeconds} s`), timeoutSeconds * 1000);
    socket.once('connect', () => {
      clearTimeout(timer);
      timer = setTimeout(() => finish(''), TCP_LINGER_MS);
    });
    socket.once('data', () => finish(''));
    socket.once('error', (error) => finish(whyCut(error)));
    socket.once('close', () => finish(CUT));
  });
}

const CUT = 'the connection was closed without an answer; does the program listen on 8080?';

/** Whether Node calls it `socket hang up` or `read ECONNRESET` is chance; one fact is told in one way. */
function whyCut(error: Error): string {
  return ['ECONNRESET', 'EPIPE'].includes(codeOf(error)) ? CUT : error.message;
}
