import { request } from 'node:http';
import { connect } from 'node:net';
import { codeOf } from '../../schemas/errors.ts';
import { type HttpProbe, PROGRAM_PORT, type ProbeSpec } from '../../schemas/program.ts';
import { unexpected } from '../../schemas/status-range.ts';
import { timeOut } from '../../schemas/time-out.ts';
import { knock } from './knock.ts';

/**
 * A connection that stays open this long reached the program: the engine's own proxy accepts on the published
 * port at once and hangs up when nothing listens behind it, on a busy machine after 50 ms and more.
 */
export const TCP_LINGER_MS = 250;

/**
 * Asks once. Resolves with `""` for a success, otherwise with why not. Never rejects.
 * @param address of the container on this machine; `""` where none is known
 */
export type ProbeOnce = (port: number, probe: ProbeSpec, address: string) => Promise<string>;

/** Asks over the published port of this machine; whether something listens it asks the container itself, and the port too. */
export const probeOnce: ProbeOnce = (port, probe, address) => {
  if (probe.kind === 'none') return Promise.resolve('');
  return probe.kind === 'http' ? probeHttp(port, probe) : probeTcp(port, probe.timeoutSeconds, address);
};

/** Redirects are answers like any other: none is followed. */
function probeHttp(port: number, { path, headers = {}, expect, timeoutSeconds }: HttpProbe): Promise<string> {
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
        const why = unexpected(statusCode, expect);
        finish(why === '' ? '' : `GET ${path} answered ${why}`);
      },
    );
    for (const [name, value] of Object.entries(headers)) asked.setHeader(name, value);
    const cancel = timeOut(timeoutSeconds * 1000, () => {
      finish(`GET ${path} gave no answer within ${timeoutSeconds} s`);
      asked.destroy();
    });
    const finish = (message: string) => {
      cancel();
      resolve(message);
    };
    asked.on('error', (error) => finish(`GET ${path}: ${whyCut(error)}`));
    asked.end();
  });
}

/**
 * The engine's own proxy takes every connection, for whoever listens. @param inside for tests, where it listens
 */
export async function probeTcp(
  port: number,
  timeoutSeconds: number,
  address: string,
  inside = PROGRAM_PORT,
): Promise<string> {
  const found = address === '' ? 'silent' : await knock(address, inside);
  if (found === 'silent') return probeThrough(port, timeoutSeconds);
  if (found === 'refused') return 'nothing listens on 8080';
  const published = await knock('127.0.0.1', port, timeoutSeconds * 1000);
  if (published === 'taken') return '';
  const how =
    published === 'refused' ? 'refuses connections' : `takes no connection within ${timeoutSeconds} s`;
  return `it listens on 8080, and its port ${port} ${how}`;
}

function probeThrough(port: number, timeoutSeconds: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const finish = (message: string) => {
      cancel();
      socket.destroy();
      resolve(message);
    };
    let cancel = timeOut(timeoutSeconds * 1000, () => finish(`no connection within ${timeoutSeconds} s`));
    socket.once('connect', () => {
      cancel();
      cancel = timeOut(TCP_LINGER_MS, () => finish(''));
    });
    socket.once('data', () => finish(''));
    socket.once('error', (error) => finish(whyCut(error)));
    // The end is told as soon as it is read, the close only after it.
    socket.once('end', () => finish(CUT));
    socket.once('close', () => finish(CUT));
  });
}

const CUT = 'the connection was closed without an answer; does the program listen on 8080?';

/** Whether Node calls it `socket hang up` or `read ECONNRESET` is chance; one fact is told in one way. */
function whyCut(error: Error): string {
  return ['ECONNRESET', 'EPIPE'].includes(codeOf(error)) ? CUT : error.message;
}
