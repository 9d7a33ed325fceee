import { AppError } from '../../schemas/errors.ts';

/** Git is in the middle of something: what lies in the work tree now is nobody's wish, and is not looked at. */
export class SourcesHeld extends AppError {
  /** It goes on until somebody ends it. Otherwise it is a matter of moments: come back in `againMs`. */
  readonly lasts: boolean;
  readonly againMs: number;

  constructor(message: string, lasts: boolean, againMs: number) {
    super('RegistryUnavailable', message);
    this.lasts = lasts;
    this.againMs = againMs;
  }
}
