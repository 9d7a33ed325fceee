import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { extract, type Header, pack } from 'tar-stream';
import { LABELS } from '../../../schemas/program.ts';
import type { VolumeRoot } from '../fill-volume.ts';
import { type Owner as HostOwner, isOfRegistry } from '../owner.ts';
import type { Connection } from './client.ts';
import { openStream } from './client.ts';
import { absent, statusOf } from './errors.ts';
import { STATE_DIR } from './floor.ts';
import { blankedLabels, type ImageConfig } from './hardening.ts';

/** On the short-lived containers through which volumes are looked into and written to: their instance. */
export const HELPER_LABEL = 'dev.hersh.helper';

/** On the same: which process made it. A label is there with the helper, where an id is known only behind it. */
const MADE_BY_LABEL = 'dev.hersh.helper-made-by';
const MADE_BY = randomUUID();

/** A passwd file is a few kilobytes; what is more is not one. */
const FILE_BYTES_MAX = 1024 * 1024;
const SYMLINKS_MAX = 8;

/** What a helper is made of, and whose it is. */
export interface HelperImage {
  image: string;
  config: ImageConfig;
  owner: HostOwner;
}

export interface Owner {
  uid: number;
  gid: number;
}

/**
 * Gives an empty /state to the user the image runs as, where it is not root and does not own it yet.
 *
 * A volume takes over the ownership that the image gives /state; an image that makes no /state leaves it to
 * root, and then its user could write nowhere. Looked at whenever a container is new and the volume still
 * empty, so a host that dies in between only comes back to it; a volume with data in it is left alone.
 *
 * Docker unpacks no entry for the very folder it is pointed at, and refuses to unpack above it in a container
 * whose root is read-only. So the change goes through a second container, never started.
 */
export async function giveState(
  connection: Connection,
  containerId: string,
  made: HelperImage & { volume: string },
): Promise<void> {
  const { user } = made.config;
  if (isRoot(user)) return;
  const state = await readHead(connection, containerId, STATE_DIR);
  if (state === undefined || !state.empty) return;
  const [passwd, group] = await Promise.all([
    readFile(connection, containerId, '/etc/passwd'),
    /:[^\d]/.test(user) ? readFile(connection, containerId, '/etc/group') : '',
  ]);
  const owner = resolveUser(user, passwd, group);
  // A name nobody knows: the start will say so in the engine's words.
  if (owner === undefined) return;
  if (state.header.uid === owner.uid && state.header.gid === owner.gid) return;
  const mount = { Type: 'volume', Source: made.volume, Target: STATE_DIR } as const;
  const helper = await createHelper(connection.quick, made, [mount]);
  try {
    const { mode = 0o755, mtime } = state.header;
    const folder = { ...owner, mode, ...(mtime === undefined ? {} : { mtime }) };
    await helper.putArchive(stateFolder(folder), { path: '/' });
  } finally {
    await removeHelper(helper);
  }
}

/** An archive of the folder /state alone: to be unpacked above it, since none sets the folder that it is unpacked in. */
export function stateFolder(of: VolumeRoot): Readable {
  const archive = pack();
  archive.entry({ name: `${STATE_DIR.slice(1)}/`, type: 'directory', ...of });
  archive.finalize();
  return Readable.from(archive);
}

/** Removes helpers that a host left behind when it died; those of this process are in use, or removed by who made them. */
export async function sweepHelpers(connection: Connection, owner: HostOwner): Promise<void> {
  const left = await connection.quick.listContainers({
    all: true,
    filters: { label: [`${HELPER_LABEL}=${owner.instance}`] },
  });
  // A helper never runs. What does, or did, was made of one, and bears its label as labels are copied.
  for (const { Id, State, Labels } of left)
    if (State === 'created' && isLeft(owner, Labels)) await removeHelper(connection.quick.getContainer(Id));
  // The empty ones that helpers were made of. One that has a name is somebody's, and bears the label as labels are copied.
  const images = await connection.quick.listImages({
    filters: { label: [`${HELPER_LABEL}=${owner.instance}`], dangling: ['true'] },
  });
  for (const { Id, Labels } of images)
    if (isLeft(owner, Labels ?? {}))
      await absent(connection.quick.getImage(Id).remove(), [404, 409], 'InternalError');
}

function isLeft(owner: HostOwner, labels: Record<string, string>): boolean {
  return labels[MADE_BY_LABEL] !== MADE_BY && isOfRegistry(owner, labels);
}

/** A container of a program's image that is never started: through it, volumes are looked into and written to. */
export async function createHelper(
  docker: Docker,
  made: Pick<HelperImage, 'image' | 'owner'> & { config: Pick<ImageConfig, 'labels'> },
  mounts: Docker.MountSettings[],
): Promise<Docker.Container> {
  return docker.createContainer({
    Image: made.image,
    // Never run; but an image need not name a command.
    Cmd: ['/'],
    Labels: {
      ...blankedLabels(made.config),
      ...helperLabels(made.owner),
    },
    HostConfig: { NetworkMode: 'none', Mounts: mounts, RestartPolicy: { Name: 'no' } },
  });
}

/** By which the next host finds what one that was killed has left of it. */
export function helperLabels({ instance, registry }: HostOwner): Record<string, string> {
  return { [HELPER_LABEL]: instance, [MADE_BY_LABEL]: MADE_BY, [LABELS.registry]: registry };
}

export async function removeHelper(helper: Docker.Container): Promise<void> {
  try {
    await helper.remove({ v: true, force: true });
  } catch (error) {
    if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
  }
}

/** Whether a USER is root for sure, without looking at the image. */
function isRoot(user: string): boolean {
  const name = user.split(':')[0] ?? '';
  return name === '' || name === 'root' || /^0+$/.test(name);
}

/**
 * Who a USER is, as runc reads it: names and numbers through passwd and group, the group from passwd where
 * none is given, and 0 where passwd does not know the number. `undefined` for a name that is in neither.
 */
export function resolveUser(user: string, passwd: string, group: string): Owner | undefined {
  const [name = '', groupName = ''] = user.split(':');
  const users = rows(passwd);
  const byNumber = /^\d+$/.test(name);
  const row = users.find((fields) => (byNumber ? Number(fields[2]) === Number(name) : fields[0] === name));
  if (row === undefined && !byNumber) return undefined;
  const uid = Number(row?.[2] ?? name);
  if (groupName === '') return { uid, gid: Number(row?.[3] ?? 0) };
  if (/^\d+$/.test(groupName)) return { uid, gid: Number(groupName) };
  const gid = rows(group).find((fields) => fields[0] === groupName)?.[2];
  return gid === undefined ? undefined : { uid, gid: Number(gid) };
}

function rows(file: string): string[][] {
  return file.split('\n').map((row) => row.split(':'));
}

/** The folder's own entry, and whether nothing is in it. Reads no further than the second entry. */
async function readHead(
  connection: Connection,
  id: string,
  path: string,
): Promise<{ header: Header; empty: boolean } | undefined> {
  let first: Header | undefined;
  for await (const entry of entries(connection, id, path)) {
    if (first !== undefined) return { header: first, empty: false };
    first = entry.header;
    entry.resume();
  }
  return first === undefined ? undefined : { header: first, empty: true };
}

/** A file of a container's, `""` where there is none; links are followed inside the container. */
async function readFile(connection: Connection, id: string, path: string, links = 0): Promise<string> {
  for await (const entry of entries(connection, id, path)) {
    const { type, linkname, size = 0 } = entry.header;
    if (type === 'symlink' && linkname && links < SYMLINKS_MAX) {
      return readFile(connection, id, posix.resolve(posix.dirname(path), linkname), links + 1);
    }
    if (type !== 'file' || size > FILE_BYTES_MAX) return '';
    const pieces: Uint8Array[] = [];
    for await (const piece of entry as AsyncIterable<Uint8Array>) pieces.push(piece);
    return Buffer.concat(pieces).toString('utf8');
  }
  return '';
}

async function* entries(connection: Connection, id: string, path: string) {
  let body: Awaited<ReturnType<typeof openStream>>;
  try {
    body = await openStream(connection.quick, `/containers/${id}/archive`, { path });
  } catch (error) {
    if (statusOf(error) === 404) return;
    throw error;
  }
  const archive = extract();
  body.once('error', (error) => archive.destroy(error));
  body.pipe(archive);
  try {
    yield* archive;
  } finally {
    body.destroy();
    archive.destroy();
  }
}
