import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import grpc from '@grpc/grpc-js';
import type Docker from 'dockerode';
import type { BuildImage, Credentials, RegistryAuth } from '../engine.ts';
import { isRegular, listTar, type SyncedFile, withFolders } from './file-sync.ts';
import {
  authService,
  fileSyncService,
  HEALTHY,
  healthService,
  PACKET,
  type Packet,
  type WireCredentials,
} from './file-sync-wire.ts';

const IGNORE_FILE = '.dockerignore';

export interface Session {
  id: string;
  close: () => void;
}

/** What a build reads over its session. */
interface Served {
  credentials: Credentials;
  /** By the name under which BuildKit asks for it: `context`, `dockerfile`. */
  files: Readonly<Record<string, readonly SyncedFile[]>>;
  read: (range: { start: number; end: number }) => NodeJS.ReadableStream;
  onError: (error: unknown) => void;
}

/**
 * Opens a session over which BuildKit reads context and Dockerfile apart from each other, as it does from buildx: a tar
 * that is sent instead has the Dockerfile where every `COPY` sees it.
 * @param onError told where the context can not be read
 * @returns the session's id, and what ends it
 */
export async function openFileSession(
  docker: Docker,
  { context, dockerfile, aside = {}, credentials }: Required<Pick<BuildImage, 'credentials'>> & BuildImage,
  onError: (error: unknown) => void,
): Promise<Session> {
  const all = await listTar(context());
  const hidden = new Set(Object.values(aside));
  const isHidden = ({ name }: SyncedFile) =>
    hidden.has(name) || [...hidden].some((one) => one.startsWith(`${name}/`));
  const of = (name: string) => all.find((file) => file.name === (aside[name] ?? name));
  const file = of(dockerfile);
  const files = {
    context: all.filter((one) => !isHidden(one)),
    dockerfile: file === undefined ? [] : withFolders([{ ...file, name: dockerfile }]),
  };
  return open(docker, { credentials, files, read: context, onError });
}

/** Opens a session over which BuildKit asks for credentials alone. */
export function openSession(docker: Docker, credentials: Credentials): Promise<Session> {
  const read = (): never => {
    throw new Error('this session has no files');
  };
  return open(docker, { credentials, files: {}, read, onError: () => {} });
}

async function open(docker: Docker, served: Served): Promise<Session> {
  const id = randomUUID();
  const files = Object.keys(served.files).length > 0 ? [fileSyncService().DiffCopy.path] : [];
  const socket = await dial(docker, id, [...files, authService().Credentials.path]);
  const server = serve(served);
  server.injector.injectConnection(socket);
  return {
    id,
    close() {
      server.server.forceShutdown();
      socket.end();
    },
  };
}

/** @param methods that are answered on it */
function dial(docker: Docker, id: string, methods: string[]): Promise<Socket> {
  const options = {
    ...{ method: 'POST', path: '/session', hijack: true },
    headers: {
      Upgrade: 'h2c',
      'X-Docker-Expose-Session-Uuid': id,
      'X-Docker-Expose-Session-Name': 'hersh',
      // Under one key BuildKit keeps what it has, and compares by size and time, which are no contents.
      'X-Docker-Expose-Session-Sharedkey': id,
      'X-Docker-Expose-Session-Grpc-Method': methods,
    },
    statusCodes: { 200: true, 500: 'server error' },
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(options as never, (error: unknown, socket: unknown) => {
      if (error) reject(error);
      else resolve(socket as Socket);
    });
  });
}

function serve(served: Served) {
  const server = new grpc.Server();
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  server.addService(authService(), {
    Credentials({ request }: { request: { Host: string } }, answer: grpc.sendUnaryData<WireCredentials>) {
      // What is not to be had is none: a public image needs that answer.
      served.credentials(request.Host).then(
        (auth) => answer(null, onWire(auth)),
        () => answer(null, {}),
      );
    },
  });
  server.addService(healthService(), {
    Check: (_call: unknown, answer: grpc.sendUnaryData<Buffer>) => answer(null, HEALTHY),
  });
  server.addService(fileSyncService(), {
    DiffCopy(call: grpc.ServerDuplexStream<Packet, Packet>) {
      sync(served, call).catch((error: unknown) => {
        served.onError(error);
        call.destroy(error as Error);
      });
    },
  });
  return { server, injector };
}

function onWire(auth: RegistryAuth | undefined): WireCredentials {
  if (auth === undefined) return {};
  // A secret without a name is a token.
  if (auth.kind === 'identity') return { Secret: auth.token };
  return { Username: auth.username, Secret: auth.password };
}

/** Lists the files, then gives the contents of those that are asked for, until the other side has all it wants. */
async function sync(served: Served, call: grpc.ServerDuplexStream<Packet, Packet>): Promise<void> {
  const [dir = ''] = call.metadata.get('dir-name').map(String);
  const files = asksForRules(call.metadata) ? [] : (served.files[dir] ?? []);
  const send = async (packet: Packet): Promise<void> => {
    if (!call.write(packet)) await new Promise((resolve) => call.once('drain', resolve));
  };
  const listed = (async () => {
    for (const { name: path, mode, size, linkname } of files)
      await send({ type: PACKET.stat, stat: { path, mode, size, linkname } });
    await send({ type: PACKET.stat });
  })();
  // The answer goes over the same stream, which has to outlive the loop.
  for await (const packet of call.iterator({ destroyOnReturn: false }) as AsyncIterable<Packet>) {
    await listed;
    if (packet.type === PACKET.request) await sendFile(served, files[packet.ID ?? 0], packet.ID ?? 0, send);
    if (packet.type === PACKET.error) break;
    if (packet.type !== PACKET.fin) continue;
    await send({ type: PACKET.fin });
    break;
  }
  await listed;
  call.end();
}

/** The rules have been followed already: BuildKit, which would look for them, is told that there are none. */
function asksForRules(metadata: grpc.Metadata): boolean {
  const asked = ['include-patterns', 'followpaths'].flatMap((key) => metadata.get(key).map(String));
  return asked.length > 0 && asked.every((name) => name === IGNORE_FILE);
}

async function sendFile(
  { read }: Served,
  file: SyncedFile | undefined,
  ID: number,
  send: (packet: Packet) => Promise<void>,
): Promise<void> {
  if (file !== undefined && isRegular(file) && file.size > 0) {
    const range = { start: file.offset, end: file.offset + file.size - 1 };
    for await (const data of read(range) as AsyncIterable<Buffer>)
      await send({ type: PACKET.data, ID, data });
  }
  await send({ type: PACKET.data, ID });
}
