import type { ProgramStore } from '../../api/deps.ts';
import type { Intent } from '../../registry/git/lock.ts';
import type { Registry } from '../../registry/registry.ts';
import { AppError } from '../../schemas/errors.ts';
import type { EventDraft } from '../program/events.ts';
import { mustBeNamed, validProgram } from './manifest-text.ts';
import type { ProgramViews } from './program-views.ts';
import { createRevisionHistory } from './revision-history.ts';

export interface ProgramEditDeps {
  registry: Registry;
  /** Runs the work while nothing is collected. */
  hold: <T>(work: () => Promise<T>) => Promise<T>;
  /** The id of the image that a name, or an id, is on this engine. Rejects `EngineUnavailable`. */
  imageIdOf: (reference: string) => Promise<string | undefined>;
  /** Removes containers that belong to no program. Gives their names. */
  removeStrays: () => Promise<string[]>;
  /** Writes an event of a program. Resolves when it is written; never rejects. */
  tell: (name: string, event: EventDraft) => Promise<void>;
}

/** What of the store writes. */
export type ProgramEdits = Pick<
  ProgramStore,
  'createFromSources' | 'putManifest' | 'putSources' | 'editSpec' | 'remove' | 'rollBack' | 'confirmPrune'
>;

/** Each wish of the API as an edit of the registry, with the words of its commit; and who had it, as an event. */
export function createProgramEdits(deps: ProgramEditDeps, { mustGet }: ProgramViews): ProgramEdits {
  const { registry } = deps;
  const history = createRevisionHistory(registry, deps.imageIdOf);

  /** Not waited for: what was asked for is done, whether or not the disk takes the telling of it. */
  function tell(name: string, author: string, reason: string, message: string): void {
    void deps.tell(name, { type: 'Normal', reason, message: `${message}, by a call`, author });
  }

  return {
    async createFromSources(name, userId, buildId, files) {
      await registry.createFromSources(name, { userId, buildId, files }, intentOf('create', name, userId));
    },
    async putManifest(name, text, etag) {
      const parsed = registry.parse(name, text);
      const hint = 'A program can not be renamed: PUT it under its new name and DELETE the old one.';
      mustBeNamed(name, parsed, hint);
      const userId = String(validProgram(parsed).rawSpec.userId);
      const intent = intentOf(etag === null ? 'create' : 'put manifest', name, userId);
      if (etag === null) return { etag: (await registry.create(name, text, intent)).etag, created: true };
      const replaced = await registry.replace(name, text, etag, intent);
      tell(name, userId, 'ManifestReplaced', 'its manifest was replaced');
      return { etag: replaced.etag, created: false };
    },
    putSources: (name, files, buildId) => deps.hold(() => putSources(name, files, buildId)),
    async editSpec(name, fields, word = wordFor(fields)) {
      const { userId } = mustGet(name).status;
      await registry.editSpec(name, fields, intentOf(word, name, userId));
      const asked = ASKED[word];
      if (asked !== undefined) tell(name, userId, asked, `a ${word} was asked for`);
    },
    async remove(name) {
      const { userId } = mustGet(name).status;
      await registry.remove(name, intentOf('delete', name, userId));
      tell(name, userId, 'DeleteRequested', 'a deletion was asked for');
    },
    async rollBack(name, revision) {
      const { status } = mustGet(name);
      registry.mustBeEditable();
      return deps.hold(async () => {
        const chosen = await history.pick(status, revision);
        const intent = intentOf('rollback', name, status.userId, `to revision ${chosen.number}`);
        const image = await history.imageOf(status, chosen);
        await registry.replaceSpec(name, (onPlace) => history.restore(chosen, image, onPlace), intent);
        const message = `a rollback to revision ${chosen.number} was asked for`;
        tell(name, status.userId, 'RollbackRequested', message);
        return chosen.number;
      });
    },
    async confirmPrune(only) {
      if (only !== 'programs' && registry.pauses.host() !== undefined) {
        throw new AppError('Conflict', 'the host is paused, and removes no container', {
          hint: 'only=programs confirms what is missing, which goes after POST /host/resume.',
        });
      }
      const intent = (gone: readonly string[]) => pruneIntent(gone, registry.status);
      const names = only === 'strays' ? [] : await registry.confirmPrune(intent);
      return [...names, ...(only === 'programs' ? [] : await deps.removeStrays())];
    },
  };

  async function putSources(
    name: string,
    files: ReadonlyMap<string, string>,
    buildId: string,
  ): Promise<boolean> {
    const { userId } = mustGet(name).status;
    registry.mustBeEditable();
    const intent = intentOf('put sources', name, userId);
    const isChanged = await registry.putSources(name, { files, buildId }, intent);
    if (isChanged) tell(name, userId, 'SourcesReplaced', `its sources were replaced by those of ${buildId}`);
    return isChanged;
  }
}

/** What an event calls a wish that a call has stated, by the word of its commit. */
const ASKED: Record<string, string> = {
  start: 'StartRequested',
  stop: 'StopRequested',
  restart: 'RestartRequested',
  pull: 'PullRequested',
};

/** What the commit of an edit says: what was asked, and for whom. */
function intentOf(word: string, name: string, userId: string, more = ''): Intent {
  const subject = [word, name, more].filter((part) => part !== '').join(' ');
  return { author: userId, message: `${subject}\n\nHersh-Program: ${name}\nHersh-User: ${userId}\n` };
}

/** Whoever confirms does not say who it is: where all belong to one user, it is told to be that one. */
function pruneIntent(names: readonly string[], { get }: Registry['status']): Intent {
  const users = [...new Set(names.map((name) => get(name)?.userId ?? ''))];
  const trailers = [
    ...names.map((name) => `Hersh-Program: ${name}`),
    ...users.map((id) => `Hersh-User: ${id}`),
  ];
  const author = users.length === 1 ? (users[0] ?? '') : '';
  return { author, message: `prune ${names.length} programs\n\n${trailers.join('\n')}\n` };
}

/** Which call sets these fields. */
function wordFor(fields: Record<string, string>): string {
  if (fields.desiredState === 'Running') return 'start';
  if (fields.desiredState === 'Stopped') return 'stop';
  return 'restartedAt' in fields ? 'restart' : 'edit';
}
