import { AppError } from '../schemas/errors.ts';

/** A setting: a flag, or a variable of the environment. */
export interface Option {
  env: string;
  /** What stands for the value in `--help`. */
  value: string;
  fallback: string;
  help: string;
  /** It may be given several times; in its variable this stands between the values. */
  between?: ' ' | ',';
  /** As a flag it takes no value. */
  isWord?: true;
}

/** What was given for an option, and by which flag or variable. */
export interface Given {
  text: string;
  from: string;
}

/** @param takes what it would take, for people */
export function refuse({ text, from }: Given, takes: string): AppError {
  return new AppError('BadRequest', `${from}: ${JSON.stringify(text)} is not valid; it takes ${takes}`);
}

/** The same of what may be a secret, and so is not told. */
export function refuseSecret({ from }: Given, takes: string): AppError {
  return new AppError('BadRequest', `${from} is not valid; it takes ${takes}`);
}
