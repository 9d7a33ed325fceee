import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { createSerialByName } from '../../../schemas/serial.ts';
import type { Spare } from '../engine-sandboxes.ts';
import type { OwnerSource } from '../owner.ts';
import type { Connection } from './client.ts';
import { engineError, isUnavailable } from './errors.ts';
import { isWhole, listSpareMade, ownerOfRow } from './holders.ts';
import { createKnownSpares, portOf } from './known-spares.ts';
import type { MakeSandbox } from './make-sandbox.ts';
import type { Networks } from './network.ts';
import { removeContainer } from './remove.ts';
import { spareName, takenName } from './spare-names.ts';
import { startAlone } from './start.ts';

/** Sandboxes that stand ready, and those that were such and are a program's now. */
export interface Spares {
  /** See `Engine.listSpares`. */
  list(): Promise<Spare[]>;
  /** See `Engine.makeSpare`. */
  make(port: number): Promise<void>;
  /** See `Engine.removeSpare`. */
  remove(port: number): Promise<void>;
  /** Gives a whole one on that port to a program, and its id; undefined where there is none: one that is not goes. */
  take(port: number, program: string): Promise<string | undefined>;
  /** Removes what stands on a port that something else is to be published on. Asks nothing, and gives false, where nothing can. */
  clear(port: number): Promise<boolean>;
  /** Ids of those that a program took. */
  takenBy(program: string): Promise<string[]>;
  /** The program that took one; `""` where none did. */
  ownerOf(id: string): string;
  forget(id: string): void;
}

export function createSpares(
  connection: Connection,
  networks: Networks,
  makeSandbox: MakeSandbox,
  ownerSource: OwnerSource,
): Spares {
  const { look, quick } = connection;
  const inTurn = createSerialByName();
  const { standing, taken, load } = createKnownSpares(look, ownerSource);

  /** Spares, and what is that program's already. */
  const on = async (port: number, program = '') =>
    (await listSpareMade(look, await ownerSource(), port)).filter((row) => isSpareOr(program, row));

  /** In turn. */
  const drop = async (port: number): Promise<void> => {
    for (const { Id } of await on(port)) await removeContainer(connection, Id);
    standing.delete(port);
  };
  const remove = (port: number) => inTurn(String(port), () => drop(port));

  const make = async (port: number): Promise<void> => {
    const [there] = await on(port);
    const { instance } = await ownerSource();
    const name = spareName(instance, randomBytes(4).toString('hex'));
    const id = there?.Id ?? (await makeSandbox(name, '', port));
    try {
      await startAlone(quick, networks, id);
    } catch (error) {
      if (!isUnavailable(error)) await removeContainer(connection, id);
      throw error;
    }
  };

  const give = async (port: number, program: string): Promise<string | undefined> => {
    const spare = (await on(port, program)).find((row) => isWhole(row, port));
    if (spare === undefined) return void (await drop(port));
    // First, so that one whose answer is lost is known all the same.
    taken.set(spare.Id, program);
    if (ownerOfRow(spare) === '' && !(await isNamed(quick, spare, program))) {
      taken.delete(spare.Id);
      return undefined;
    }
    standing.delete(port);
    return spare.Id;
  };

  return {
    remove,
    async list() {
      const found = await listSpareMade(look, await ownerSource());
      const rows = found.filter((row) => ownerOfRow(row) === '');
      for (const row of rows) standing.add(portOf(row));
      return rows.map(asSpare);
    },
    async make(port) {
      standing.add(port);
      try {
        await inTurn(String(port), () => make(port));
      } catch (error) {
        throw engineError(error, 'StartFailed');
      }
    },
    async take(port, program) {
      await load();
      return standing.has(port) ? inTurn(String(port), () => give(port, program)) : undefined;
    },
    async clear(port) {
      await load();
      const may = standing.has(port);
      if (may) await remove(port);
      return may;
    },
    async takenBy(program) {
      await load();
      return [...taken].flatMap(([id, by]) => (by === program ? [id] : []));
    },
    ownerOf: (id) => taken.get(id) ?? '',
    forget: (id) => void taken.delete(id),
  };
}

function isSpareOr(program: string, row: Docker.ContainerInfo): boolean {
  const owner = ownerOfRow(row);
  return owner === '' || owner === program;
}

function asSpare(row: Docker.ContainerInfo): Spare {
  const publishPort = portOf(row);
  const isUp = ['running', 'paused'].includes(row.State);
  return { publishPort, isReady: isUp && isWhole(row, publishPort) };
}

/** Whether it could be named as that program's: of one that can not, the program makes another. */
async function isNamed(
  docker: Docker,
  { Id, Names }: Docker.ContainerInfo,
  program: string,
): Promise<boolean> {
  const name = takenName((Names[0] ?? '').replace(/^\//, ''), program);
  try {
    await docker.getContainer(Id).rename({ name });
    return true;
  } catch (error) {
    if (isUnavailable(error)) throw error;
    return false;
  }
}
