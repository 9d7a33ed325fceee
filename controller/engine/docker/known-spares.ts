import type Docker from 'dockerode';
import { LABELS } from '../../../schemas/program.ts';
import type { OwnerSource } from '../owner.ts';
import { joiners, listSpareMade, ownerOfRow } from './holders.ts';

/** What this host knows of spares without asking: all that others have left, looked at once, and its own doings. */
export interface KnownSpares {
  /** Ports on which one may stand. */
  standing: Set<number>;
  /** The programs that took one, by its id. */
  taken: Map<string, string>;
  /** Rejects as the engine does, and looks again at the next call. */
  load(): Promise<void>;
}

export function createKnownSpares(look: Docker, ownerSource: OwnerSource): KnownSpares {
  const standing = new Set<number>();
  const taken = new Map<string, string>();
  let loading: Promise<void> | undefined;

  async function findAll(): Promise<void> {
    const rows = await listSpareMade(look, await ownerSource());
    const isRenamed = rows.some((row) => ownerOfRow(row) === undefined);
    const joined = isRenamed ? await joiners(look) : new Map<string, string>();
    for (const row of rows) {
      const program = ownerOfRow(row) ?? joined.get(row.Id);
      if (program === '') standing.add(portOf(row));
      else if (program !== undefined) taken.set(row.Id, program);
    }
  }

  return {
    ...{ standing, taken },
    load() {
      loading ??= findAll().catch((error: unknown) => {
        loading = undefined;
        throw error;
      });
      return loading;
    },
  };
}

export const portOf = ({ Labels }: Docker.ContainerInfo): number => Number(Labels[LABELS.sandboxPort]) || 0;
