import type Docker from 'dockerode';
import { LABELS } from '../../schemas/program.ts';
import { messages } from '../setup/images.ts';
import { inTime } from './poll.ts';

/** What the benchmark waits for. */
type Action = 'start' | 'destroy';

export interface EngineEvents {
  /**
   * When the engine tells of the next such event of a program, in milliseconds of `performance.now()`. Ask
   * before causing it. Rejects when it does not come in time, by default within a minute.
   */
  next(program: string, action: Action, limitMs?: number): Promise<number>;
  /** How often the engine tagged an image with this name since the beginning: a build does, cached or not. */
  tagged(reference: string): number;
  close(): Promise<void>;
}

/**
 * One event stream for both sides of every comparison, so that one clock, with one delay, times them all.
 */
export async function openEngineEvents(docker: Docker): Promise<EngineEvents> {
  const waiting = new Map<string, Waiter>();
  let ended = false;
  const tags = new Map<string, number>();
  const filters: Docker.GetEventsOptions['filters'] = {
    type: ['container', 'image'],
    event: ['start', 'destroy', 'tag'],
  };
  const stream = await docker.getEvents({ filters });
  const reading = read();

  async function read(): Promise<void> {
    try {
      for await (const message of messages(stream)) take(message as EngineMessage, performance.now());
    } catch {
      // Closed, or cut: the same to those who wait.
    }
    ended = true;
    for (const { reject } of waiting.values()) reject(new Error(ENDED));
  }

  function take({ Type: type, Action: action, Actor: actor }: EngineMessage, atMs: number): void {
    const attributes = actor?.Attributes ?? {};
    if (type === 'image') {
      const name = attributes.name ?? '';
      tags.set(name, (tags.get(name) ?? 0) + 1);
      return;
    }
    const key = `${action} ${attributes[LABELS.program] ?? ''}`;
    waiting.get(key)?.resolve(atMs);
    waiting.delete(key);
  }

  return {
    next(program, action, limitMs) {
      const came = new Promise<number>((resolve, reject) => {
        if (ended) reject(new Error(ENDED));
        else waiting.set(`${action} ${program}`, { resolve, reject });
      });
      const told = inTime(`the engine told of the ${action} of ${program}`, came, limitMs);
      // Whoever asked may have given up for another reason by then.
      told.catch(() => {});
      return told;
    },
    tagged: (reference) => tags.get(reference) ?? 0,
    async close() {
      (stream as unknown as { destroy(): void }).destroy();
      await reading;
    },
  };
}

const ENDED = "the engine's event stream ended";

interface Waiter {
  resolve(atMs: number): void;
  reject(error: Error): void;
}

interface EngineMessage {
  Type?: string;
  Action?: string;
  Actor?: { Attributes?: Record<string, string> };
}
