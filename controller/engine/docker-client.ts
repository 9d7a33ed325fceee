import type { IncomingMessage } from 'node:http';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import Docker from 'dockerode';

/** Longest silence on a call that should be short; start under gVisor on a busy machine takes seconds. */
export const CALL_TIMEOUT_MS = 120_000;

/** On top of the grace a stop gives: the kill, and the clean-up. */
export const STOP_SLACK_MS = 120_000;

export interface Connection {
  /** For calls that answer soon: cut after `CALL_TIMEOUT_MS` without a byte. */
  quick: Docker;
  /** For streams and waits, which may be silent for as long as they like. */
  patient: Docker;
  /** A client whose every socket dies with `close`, for calls that leave some open. */
  disposable(): { docker: Docker; close(): void };
}

/**
 * Clients for `dockerHost` (`unix:///path`, `tcp://host:port`), by default what DOCKER_HOST says or the local
 * socket. Throws on a host it can not read.
 */
export function connect(dockerHost?: string): Connection {
  const target = dockerHost === undefined ? {} : targetOf(dockerHost);
  const client = (more: object): Docker => new Docker({ ...target, ...more });
  return {
    quick: client({ timeout: CALL_TIMEOUT_MS }),
    patient: client({ timeout: 0 }),
    disposable() {
      const docker = client({ timeout: 0 });
      const modem = docker.modem as { protocol?: string; agent?: http.Agent };
      const { agent, close } = trackedAgent(modem.protocol === 'https');
      modem.agent = agent;
      return { docker, close };
    },
  };
}

/** docker-modem's options for an address. It fills gaps from the environment, so all that counts is named. */
export function targetOf(dockerHost: string): object {
  if (dockerHost.startsWith('unix://')) {
    const socketPath = dockerHost.slice('unix://'.length);
    return { host: undefined, protocol: 'http', socketPath: socketPath || '/var/run/docker.sock' };
  }
  const url = new URL(dockerHost.includes('://') ? dockerHost : `tcp://${dockerHost}`);
  if (!['tcp:', 'http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new Error(`DOCKER_HOST must be unix:///path or tcp://host:port, not ${dockerHost}`);
  }
  const tls = url.protocol === 'https:' || url.port === '2376' || process.env.DOCKER_TLS_VERIFY === '1';
  return { host: url.hostname, port: url.port || (tls ? '2376' : '2375'), protocol: tls ? 'https' : 'http' };
}

/** An agent that knows every socket it ever made, upgraded ones included, which Node's own forgets. */
function trackedAgent(tls: boolean): { agent: http.Agent; close(): void } {
  const agent = tls ? new https.Agent({ keepAlive: false }) : new http.Agent({ keepAlive: false });
  const sockets = new Set<Socket>();
  let closed = false;
  const connectable = agent as unknown as { createConnection(...args: unknown[]): Socket };
  const original = connectable.createConnection.bind(agent);
  connectable.createConnection = (...args) => {
    const socket = original(...args);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (closed) socket.destroy();
    return socket;
  };
  return {
    agent,
    close() {
      closed = true;
      for (const socket of sockets) socket.destroy();
      agent.destroy();
    },
  };
}

/** A GET whose body is read as it comes. Rejects with dockerode's error unless the answer is 200. */
export function openStream(
  docker: Docker,
  path: string,
  query: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      {
        path: `${path}?`,
        method: 'GET',
        options: { ...query },
        isStream: true,
        statusCodes: { 200: true },
        ...(signal === undefined ? {} : { abortSignal: signal }),
      },
      (error: unknown, body: unknown) => {
        if (error) reject(error);
        else resolve(body as IncomingMessage);
      },
    );
  });
}

/** Newline-delimited JSON, message by message. */
export async function* jsonLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<Record<string, unknown>> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line);
  }
  if (rest.trim() !== '') yield JSON.parse(rest);
}
