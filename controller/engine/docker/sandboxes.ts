import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import type { Sandbox } from '../../../schemas/container.ts';
import type { CreateContainer } from '../engine.ts';
import type { OwnerSource } from '../owner.ts';
import type { Connection } from './client.ts';
import { isWhole, listHolders, ownerOfRow } from './holders.ts';
import type { MakeSandbox } from './make-sandbox.ts';
import type { Spares } from './spares.ts';
import { sandboxOf } from './translate.ts';

/** The network sandboxes of an instance's programs. */
export interface Sandboxes {
  /** See `Engine.listSandboxes`. */
  list(program?: string): Promise<Sandbox[]>;
  /**
   * The id of a whole one of that program for that port: one that it has, a spare, which is its own from now on, or one
   * that is made, and not started.
   */
  ensure(request: Pick<CreateContainer, 'name' | 'program' | 'publishPort' | 'notIn'>): Promise<string>;
  /** The program of one that has been listed or made; `""` where none is known. */
  ownerOf(id: string): string;
  forget(id: string): void;
}

export function createSandboxes(
  { look }: Pick<Connection, 'look'>,
  make: MakeSandbox,
  spares: Pick<Spares, 'take' | 'takenBy' | 'ownerOf' | 'forget'>,
  ownerSource: OwnerSource,
): Sandboxes {
  const owners = new Map<string, string>();

  const list = async (program?: string): Promise<Docker.ContainerInfo[]> => {
    const taken = program === undefined ? [] : await spares.takenBy(program);
    const found = await listHolders(look, await ownerSource(), program, taken);
    const rows = found.filter((row) => ownerOfRow(row) !== '');
    for (const row of rows) owners.set(row.Id, ownerOfRow(row) ?? spares.ownerOf(row.Id));
    for (const id of taken) if (!rows.some(({ Id }) => Id === id)) spares.forget(id);
    return rows;
  };
  const ownerOf = (id: string) => owners.get(id) ?? spares.ownerOf(id);

  return {
    ownerOf,
    list: async (program) => (await list(program)).map((row) => sandboxOf(row, ownerOf(row.Id))),
    forget(id) {
      owners.delete(id);
      spares.forget(id);
    },
    async ensure({ name, program, publishPort, notIn = [] }) {
      const mayJoin = (await list(program)).filter(({ Id }) => !notIn.includes(Id));
      const there = mayJoin.find((one) => isWhole(one, publishPort));
      if (there !== undefined) return there.Id;
      const spare = await spares.take(publishPort, program);
      if (spare !== undefined) return spare;
      // Nobody looks for it by its name.
      const id = await make(`${name}-sandbox-${randomBytes(4).toString('hex')}`, program, publishPort);
      owners.set(id, program);
      return id;
    },
  };
}
