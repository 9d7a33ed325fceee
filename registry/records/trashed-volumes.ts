import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../schemas/errors.ts';
import { timestamp } from '../../schemas/program.ts';
import { createSerial } from '../../schemas/serial.ts';
import { ownerOf, type TrashedVolume } from '../../schemas/trashed-volume.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { readPlainFile } from '../files/read-plain-file.ts';
import { dataUnavailable } from './data-unavailable.ts';
import type { StatusStore } from './status-store.ts';

/** A program is about to use a volume for the first time. */
export interface VolumeClaim {
  name: string;
  userId: string;
  volume: string;
  /** The program that is gone, whose volume this was; undefined for one of its own. */
  from: string | undefined;
}

/**
 * Which volumes belonged to programs that are gone, in `data/trash/<name>.<epoch ms>.volume.json`. A volume itself is
 * never moved or copied: the engine can rename none, and a copy would need its room once more, and could be cut short.
 * What changes hands is the record, by one atomic write.
 */
export interface TrashedVolumes {
  /** Notes that a volume belongs to nobody any more, and since when. Rejects `RegistryUnavailable`. */
  note(of: Omit<TrashedVolume, 'deletedAt' | 'takenBy'>): Promise<void>;
  /** Oldest first; damaged ones are left out. Rejects `RegistryUnavailable` where the folder can not be read. */
  list(): Promise<TrashedVolume[]>;
  /**
   * Makes sure that the volume is that program's and nobody else's, and writes that down where it is another's by now.
   * Gives whether it is. One after the other, so that of two who want the same one gets it. Rejects `RegistryUnavailable`.
   */
  claim(claim: VolumeClaim): Promise<boolean>;
}

/** The same as a part of the registry. */
export interface VolumesOfGone {
  /** A volume is taken back with the same name and user. */
  trashVolume: TrashedVolumes['note'];
  claimVolume: TrashedVolumes['claim'];
  trashedVolumes: TrashedVolumes['list'];
}

/** @param now epoch milliseconds */
export function openTrashedVolumes(
  folder: string,
  now: () => number,
  status: Pick<StatusStore, 'names' | 'get'>,
): TrashedVolumes {
  const exclusive = createSerial();

  async function write(file: string, record: TrashedVolume): Promise<void> {
    await writeAtomic(join(folder, file), `${JSON.stringify(record)}\n`, { mode: 0o600 }).catch(
      (error: unknown) => {
        throw dataUnavailable(`trash/${file}`, 'written', error);
      },
    );
  }

  async function read(): Promise<{ file: string; record: TrashedVolume }[]> {
    const files = await readdir(folder).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw dataUnavailable('trash', 'read', error);
    });
    const stampOf = (file: string) => Number(/\.(\d{1,15})\.volume\.json$/.exec(file)?.[1]);
    const records = files
      .filter((file) => !Number.isNaN(stampOf(file)))
      .sort((a, b) => stampOf(a) - stampOf(b));
    const read = records.map(async (file) => {
      const record = trashedVolumeIn(await readPlainFile(join(folder, file)).catch(() => ''));
      return record === undefined ? [] : [{ file, record }];
    });
    return (await Promise.all(read)).flat();
  }

  return {
    note: (of) => write(`${of.name}.${now()}.volume.json`, { ...of, deletedAt: timestamp(now()) }),
    list: async () => (await read()).map(({ record }) => record),
    claim: ({ name, userId, volume, from }) =>
      exclusive(async () => {
        const last = (await read()).findLast(({ record }) => record.volume === volume);
        const isHeld = (other: string) => status.get(other)?.memory.program.volume === volume;
        if (status.names().some((other) => other !== name && isHeld(other))) return false;
        if (last === undefined) return from === undefined;
        const { file, record } = last;
        if (record.userId !== userId) return false;
        if (ownerOf(record) === name) return true;
        if (ownerOf(record) !== from || status.get(from) !== undefined) return false;
        await write(file, { ...record, takenBy: name });
        return true;
      }),
  };
}

/** Undefined where the text is none, or damaged. */
export function trashedVolumeIn(text: string): TrashedVolume | undefined {
  try {
    const record = JSON.parse(text) as Record<string, unknown>;
    const isText = (key: string) => typeof record[key] === 'string';
    const isOptional = (key: string) => record[key] === undefined || isText(key);
    const isWhole = ['name', 'userId', 'volume'].every(isText) && ['sources', 'takenBy'].every(isOptional);
    if (!isWhole) return undefined;
    return { ...record, deletedAt: String(record.deletedAt ?? '') } as unknown as TrashedVolume;
  } catch {
    return undefined;
  }
}
