import type { IncomingMessage } from 'node:http';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import Docker from 'dockerode';
import { createApiVersion } from './api-version.ts';

/** Longest silence on a call that changes something; start under gVisor on a busy machine takes seconds. */
export const CALL_TIMEOUT_MS = 120_000;

/** Longest silence on one that only looks: milliseconds are enough where nothing is wrong, seconds on a busy machine. */
export const LOOK_TIMEOUT_MS = 15_000;

/** On top of the grace a stop gives: the kill, and the clean-up. */
export const STOP_SLACK_MS = 120_000;

/** As Node's own agent closes connections that nobody uses. */
const IDLE_MS_MAX = 5_000;

export interface Connection {
  /** For calls that change nothing: cut after `LOOK_TIMEOUT_MS` without a byte. */
  look: Docker;
  /** For calls that answer soon: cut after `CALL_TIMEOUT_MS` without a byte. */
  quick: Docker;
  /** For streams and waits, which may be silent for as long as they like. */
  patient: Docker;
  /** A client whose every socket dies with `close`, for calls that leave some open. */
  disposable(): { docker: Docker; close(): void };
  /** Ends every `look` and `quick` call under way: an engine that is silent would be waited for in vain. */
  cut(): void;
  /** Whether the engine is behind a socket in the file system, as one of this machine is. */
  hasSocket: boolean;
}

/**
 * Clients for `dockerHost` (`unix:///path`, `tcp://host:port`), by default what DOCKER_HOST says or the local
 * socket. Throws on a host it can not read.
 */
export function connect(dockerHost?: string, lookMs = LOOK_TIMEOUT_MS): Connection {
  const target = dockerHost === undefined ? {} : targetOf(dockerHost);
  const version = createApiVersion();
  const client = (more: object): Docker => {
    const docker = new Docker({ ...target, ...more });
    version.apply(docker);
    return docker;
  };
  const tracked = (keepAlive: boolean, ...dockers: Docker[]): TrackedAgent => {
    const modems = dockers.map(({ modem }) => modem as { protocol?: string; agent?: http.Agent });
    const agent = trackedAgent(modems[0]?.protocol === 'https', keepAlive);
    for (const modem of modems) modem.agent = agent.agent;
    return agent;
  };
  const look = client({ timeout: lookMs });
  const quick = client({ timeout: CALL_TIMEOUT_MS });
  const { cut } = tracked(true, look, quick);
  return {
    ...{ look, quick, cut },
    hasSocket: (look.modem as { socketPath?: string }).socketPath !== undefined,
    patient: client({ timeout: 0 }),
    disposable() {
      const docker = client({ timeout: 0 });
      const { close } = tracked(false, docker);
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

interface TrackedAgent {
  agent: http.Agent;
  /** Ends every connection there is. */
  cut(): void;
  /** And every one to come. */
  close(): void;
}

/** An agent that knows every socket it ever made, upgraded ones included, which Node's own forgets. */
function trackedAgent(tls: boolean, keepAlive: boolean): TrackedAgent {
  const options: http.AgentOptions = keepAlive
    ? { keepAlive, scheduling: 'lifo', timeout: IDLE_MS_MAX }
    : { keepAlive };
  const agent = tls ? new https.Agent(options) : new http.Agent(options);
  // docker-modem prints the options of every request for its debug log, on or off, and the agent is one of them:
  // with all it holds that is most of the time a request takes, and grows with the requests under way.
  Object.defineProperty(agent, inspect.custom, { value: () => 'agent' });
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
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    agent,
    cut,
    close() {
      closed = true;
      cut();
      agent.destroy();
    },
  };
}

/** A GET with a query that dockerode has no parameter for. Rejects with dockerode's error unless the answer is 200. */
export function get(docker: Docker, path: string, query: Record<string, unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      { path: `${path}?`, method: 'GET', options: { ...query }, statusCodes: { 200: true } },
      (error: unknown, answer: unknown) => {
        if (error) reject(error);
        else resolve(answer);
      },
    );
  });
}

/** A call, by default a GET, whose body is read as it comes. Rejects with dockerode's error unless the answer is 200. */
export function openStream(
  docker: Docker,
  path: string,
  query: Record<string, unknown>,
  signal?: AbortSignal,
  method: 'GET' | 'POST' = 'GET',
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      {
        path: `${path}?`,
        method,
        // A body, which dockerode makes of the query else, would have to be read before 20.10 says anything.
        options: { _query: { ...query }, _body: {} },
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
