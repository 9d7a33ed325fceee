import { AppError } from '../../schemas/errors.ts';
import type { ApiDeps } from '../deps.ts';
import { programNotFound } from '../errors.ts';
import type { ProgramView } from '../program-answers.ts';
import { RETRY_AFTER_SECONDS, runOf, servingOf, type Tried, type Verdict, verdictOf } from './go-or-wait.ts';
import type { Attempt, Unanswered } from './sending.ts';
import { isName } from './target.ts';
import { createWaitingRooms, type WaitingRooms } from './waiting-rooms.ts';

/** A request that is to be answered by a program, however it is sent. */
export interface Errand {
  /** Of the program. */
  name: string;
  /** Whether asking twice does no harm. */
  repeatable: boolean;
  /** Tries once. Called again only where the try before said that it may be. */
  send(attempt: Attempt): void;
  /** The answer is an error. */
  refuse(error: AppError, headers: Readonly<Record<string, string>>): void;
  /** Whether the client has gone away. */
  isGone(): boolean;
  /** Calls when the client goes away. */
  onGone(listener: () => void): void;
}

type Deps = Pick<ApiDeps, 'programs' | 'now'>;

/**
 * Runs errands: sends each, lets it wait for a program that is on its way back, or refuses it.
 * @param waitMs how long each may wait; 0 for not at all
 */
export function createErrands(deps: Deps, waitMs: number): (errand: Errand) => void {
  const rooms = createWaitingRooms((name, listener) => deps.programs.onChange(name, listener));
  return (errand) => new Run(deps, rooms, waitMs, errand).step();
}

class Run {
  readonly #deps: Deps;
  readonly #rooms: WaitingRooms;
  readonly #waitMs: number;
  readonly #errand: Errand;
  readonly #arrivedMs = performance.now();
  #tried: (Tried & { error: AppError }) | undefined;
  /** Ends its wait. */
  #leave = nothing;
  /** Gives back its place among those let go. */
  #done = nothing;
  #isWatched = false;

  constructor(deps: Deps, rooms: WaitingRooms, waitMs: number, errand: Errand) {
    this.#deps = deps;
    this.#rooms = rooms;
    this.#waitMs = waitMs;
    this.#errand = errand;
  }

  step(): void {
    const view = this.#view();
    if (view === undefined) {
      this.#end(programNotFound(this.#errand.name));
      return;
    }
    const verdict = this.#verdict(view);
    if (verdict.kind === 'go') this.#send(view);
    else if (verdict.kind === 'wait') this.#wait(view, verdict.ms);
    else if (verdict.kind === 'fail') this.#end(this.#tried?.error ?? unavailable(view));
    else this.#end(unavailable(view), verdict.retryAfterSeconds);
  }

  #view(): ProgramView | undefined {
    const { name } = this.#errand;
    return isName(name) ? this.#deps.programs.get(name) : undefined;
  }

  #verdict(view: ProgramView): Verdict {
    return verdictOf(view, {
      nowMs: this.#deps.now(),
      waitMs: this.#waitMs,
      leftMs: Math.max(0, this.#waitMs - (performance.now() - this.#arrivedMs)),
      repeatable: this.#errand.repeatable,
      tried: this.#tried,
    });
  }

  #send({ status }: ProgramView): void {
    this.#errand.send({
      port: status.publishPort,
      begun: () => this.#release(),
      failed: (error, sent) => {
        if (this.#errand.isGone()) return this.#release();
        if (sent === undefined) return this.#end(error);
        const unanswered: Unanswered | undefined =
          sent === 'no' || this.#errand.repeatable ? undefined : sent;
        const [serving, run] = [servingOf(status), runOf(status)];
        this.#tried = { serving, run, failedAtMs: this.#deps.now(), unanswered, error };
        this.step();
      },
    });
  }

  #wait(view: ProgramView, ms: number): void {
    const leave = this.#rooms.enter(this.#errand.name, ms, {
      mustWait: () => {
        const now = this.#view();
        return now !== undefined && this.#verdict(now).kind === 'wait';
      },
      go: (done) => {
        this.#done = done;
        if (this.#errand.isGone()) this.#release();
        else this.step();
      },
    });
    if (leave === undefined) {
      this.#end(unavailable(view, FULL), RETRY_AFTER_SECONDS);
      return;
    }
    // Only now, or its own place would be taken by one that came later.
    this.#release();
    this.#leave = leave;
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#errand.onGone(() => {
      this.#leave();
      this.#release();
    });
  }

  #release(): void {
    const done = this.#done;
    this.#done = nothing;
    done();
  }

  #end(error: AppError, retryAfterSeconds?: number): void {
    this.#release();
    const headers: Record<string, string> =
      retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };
    this.#errand.refuse(error, headers);
  }
}

const nothing = (): void => {};

const FULL = ', and as many requests wait for it as may';

function unavailable({ name, status: { state } }: ProgramView, also = ''): AppError {
  return new AppError('ProgramUnavailable', `the program does not run; its state is ${state}${also}`, {
    hint: `GET /programs/${name} says why; POST /programs/${name}/start starts one that is stopped`,
  });
}
