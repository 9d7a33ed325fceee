import type { Sandbox } from '../../schemas/container.ts';

/** A network sandbox that waits for a program. */
export interface Spare {
  publishPort: number;
  /** Whether it runs and is whole; one that is not gives way to one that is made anew. */
  isReady: boolean;
}

/** What is asked of an engine about network sandboxes; of the promises of `Engine`. */
export interface EngineSandboxes {
  /** Whether there are network sandboxes for the engine's machine. It is asked once. */
  hasSandboxes(): Promise<boolean>;

  /** Network sandboxes of this instance, in any state; of one program only, where named. In no order. */
  listSandboxes(program?: string): Promise<Sandbox[]>;

  /** Ends a sandbox and removes it; resolves when it is gone. What joins it stays, without a network. */
  removeSandbox(id: string): Promise<void>;

  /**
   * Sandboxes of this instance that stand ready and are no program's yet. The first container that is made to join one
   * on such a port takes it, and it is that program's from then on; it gives way to any other that is started there.
   */
  listSpares(): Promise<Spare[]>;

  /** Makes a spare on that port, and starts it, where there is none. Rejects as `startContainer`; then none is left. */
  makeSpare(port: number): Promise<void>;

  /** Removes the spare on that port; resolves when it is gone. One that a program has taken is none any more. */
  removeSpare(port: number): Promise<void>;
}
