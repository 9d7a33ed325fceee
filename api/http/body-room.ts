import { AppError } from '../../schemas/errors.ts';

/** Of all bodies together that are being read or worked on: four of the largest, each of which takes several times that. */
export const BODIES_BYTES_MAX = 128 * 2 ** 20;

/** How much all bodies take up that are here at a time. Who sends slowly takes up what has come. */
export interface BodyRoom {
  /** For one call. */
  enter(): {
    /** Throws `Busy` where there is no room for so many bytes more. */
    take(bytes: number): void;
    /** Gives back all that was taken. */
    leave(): void;
  };
}

export function createBodyRoom(bytesMax = BODIES_BYTES_MAX): BodyRoom {
  let held = 0;
  return {
    enter() {
      let own = 0;
      return {
        take(bytes) {
          if (held + bytes > bytesMax)
            throw new AppError('Busy', 'too many large bodies are on their way at a time', {
              hint: 'Send it again when one of them has been answered.',
            });
          held += bytes;
          own += bytes;
        },
        leave() {
          held -= own;
          own = 0;
        },
      };
    },
  };
}
