import { randomBytes } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { AppError, isAbsent, messageOf } from '../../schemas/errors.ts';
import { LABELS } from '../../schemas/program.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { readPlainFile } from '../files/read-plain-file.ts';
import { registryPaths } from '../paths.ts';

/** In `data/`: it goes with a copy and a backup of the whole folder, and not with a clone. */
const FILE = 'registry-id';
const ID = /^[0-9a-f]{12}$/;

type Labels = Readonly<Record<string, string>>;

export function newRegistryId(): string {
  return randomBytes(6).toString('hex');
}

/**
 * Undefined where the registry has none, or what it has is none. Rejects where that can not be told: what can not be
 * read may be somebody's, and nobody takes it for gone.
 */
export async function readRegistryId(root: string): Promise<string | undefined> {
  const path = join(registryPaths(root).data, FILE);
  const text = await readPlainFile(path).catch((error: unknown) => {
    if (isAbsent(error)) return '';
    throw new AppError('RegistryUnavailable', `${path} can not be read: ${messageOf(error)}`, {
      hint: 'It is the id that the objects of this registry bear. Make it readable for the user of the host.',
    });
  });
  const id = text.trim();
  return ID.test(id) ? id : undefined;
}

export async function keepRegistryId(root: string, id: string): Promise<void> {
  const { data } = registryPaths(root);
  await mkdir(data, { recursive: true, mode: 0o700 });
  await writeAtomic(join(data, FILE), `${id}\n`, { mode: 0o600 });
}

export interface RegistryIdOptions {
  root: string;
  /** Whether the registry has a program of that name: a manifest, or a ledger. */
  hasProgram: (name: string) => boolean;
  onNote: (fields: object, message: string) => void;
}

/**
 * The id of a registry, which its objects on the engine bear. One that has none (it was made before there were ids, its
 * `data/` was lost, or it was restored without) goes on with the id of its own objects where it has any, and gets
 * another one where it has not.
 */
export async function openRegistryId({ root, hasProgram, onNote }: RegistryIdOptions): Promise<{
  path: string;
  known(): string | undefined;
  settle(found: readonly Labels[]): Promise<string>;
}> {
  const path = await realpath(root);
  let id = await readRegistryId(root);
  return {
    path,
    known: () => id,
    async settle(found) {
      const inherited = inheritedId(found, path, await livingElsewhere(found, path), hasProgram);
      id = inherited ?? newRegistryId();
      await keepRegistryId(root, id).catch((error: unknown) =>
        onNote(
          { error: messageOf(error) },
          'data/registry-id can not be written; the next start settles it anew',
        ),
      );
      if (inherited !== undefined)
        onNote(
          { id },
          'the registry had no id any more, and goes on with the one that its objects on the engine bear',
        );
      return id;
    },
  };
}

/** Ids of registries that are still where objects say that they are, which is not here. */
async function livingElsewhere(found: readonly Labels[], path: string): Promise<Set<string>> {
  const places = new Map<string, string>();
  for (const { [LABELS.registry]: id = '', [LABELS.registryPath]: place = '' } of found)
    if (id !== '' && isAbsolute(place)) places.set(`${id} ${place}`, id);
  const living = new Set<string>();
  for (const [key, id] of places) {
    if (await isLiving(key.slice(id.length + 1), id, path)) living.add(id);
  }
  return living;
}

/** One that can not be looked at, of another user for one, is as good as there. */
async function isLiving(place: string, id: string, path: string): Promise<boolean> {
  try {
    return (await realpath(place)) !== path && (await readRegistryId(place)) === id;
  } catch (error) {
    return !isAbsent(error);
  }
}

/**
 * Which id of those on the engine is the registry's own: one whose objects were made for the folder where it lies or,
 * where there is none, one more than half of whose programs it has. Undefined where there is no such one. Pure.
 * @param path where the registry lies, @param living ids that registries elsewhere have
 */
export function inheritedId(
  found: readonly Labels[],
  path: string,
  living: ReadonlySet<string>,
  hasProgram: (name: string) => boolean,
): string | undefined {
  const candidates = new Map<string, { isHere: boolean; all: Set<string>; programs: Set<string> }>();
  for (const labels of found) {
    const { [LABELS.registry]: id = '', [LABELS.program]: program = '' } = labels;
    if (!ID.test(id) || living.has(id)) continue;
    const one = candidates.get(id) ?? {
      ...{ isHere: false, all: new Set<string>(), programs: new Set<string>() },
    };
    if (labels[LABELS.registryPath] === path) one.isHere = true;
    if (program !== '') one.all.add(program);
    if (hasProgram(program)) one.programs.add(program);
    candidates.set(id, one);
  }
  const [best] = [...candidates]
    .filter(([, { isHere, all, programs }]) => isHere || programs.size * 2 > all.size)
    .sort(
      ([a, one], [b, other]) =>
        Number(other.isHere) - Number(one.isHere) ||
        other.programs.size - one.programs.size ||
        (a < b ? -1 : 1),
    );
  return best?.[0];
}
