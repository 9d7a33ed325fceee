import { parseManifest } from '../../registry/manifests/manifest.ts';
import { AppError } from '../../schemas/errors.ts';
import { mayBeOfThisHost } from '../../schemas/image-name.ts';
import type { Program } from '../../schemas/program.ts';
import { normaliseFolder } from '../../schemas/resolve.ts';
import { seesUser, type Who } from '../../schemas/token.ts';
import type { ProgramStore } from '../deps.ts';

/** Throws `Forbidden` where who asks may make programs of one user alone, and that is another. @param field for the words */
export function refuseForeignUser(who: Who | undefined, userId: string, field: string): void {
  if (who === undefined || seesUser(who, userId)) return;
  throw new AppError('Forbidden', `${field} must be ${who.userId}: this token is for programs of that user`, {
    details: [{ path: field, message: `must be ${who.userId}` }],
  });
}

/**
 * Throws `Conflict` where a program of another user was deleted under that name and is not all gone: its containers
 * would be shown, and taken commands for, as those of whoever has the name next.
 */
export function refuseLeftName(
  who: Who | undefined,
  programs: Pick<ProgramStore, 'leftBy'>,
  name: string,
): void {
  const left = programs.leftBy(name);
  if (left === undefined || seesUser(who, left)) return;
  throw new AppError('Conflict', `the name ${name} is in use: a program is being created or removed there`, {
    hint: 'Try again in a moment, or take another name.',
  });
}

/**
 * Throws `Forbidden` for a manifest by which who asks would come to what is not theirs: a program of another user, or
 * files of the registry, or an image of this host, that no program of theirs has.
 */
export function refuseForeignManifest(
  who: Who | undefined,
  programs: Pick<ProgramStore, 'list' | 'manifest'>,
  name: string,
  text: string,
): void {
  if (who?.role !== 'user') return;
  const { program, problems } = parse(text, name);
  if (program === undefined)
    throw new AppError('InvalidManifest', 'the manifest is not valid', { details: problems });
  const { userId, context, image } = of(program);
  refuseForeignUser(who, userId, 'spec.userId');
  if (context === undefined && image === undefined) return;
  const own = programs
    .list()
    .filter(({ owner }) => owner === who.userId)
    .map(({ name: one }) => parse(programs.manifest(one)?.text ?? '', one).program)
    .filter((one) => one !== undefined)
    .map(of)
    // By the file too: what somebody has just given away is not theirs any more.
    .filter((one) => one.userId === who.userId);
  if (context !== undefined && !own.some((one) => one.context === context))
    throw foreign(
      'spec.build.context',
      'a folder that a program of yours is built from',
      'POST /programs and PUT …/sources bring sources of your own',
    );
  if (image !== undefined && !own.some((one) => one.image === image))
    throw foreign(
      'spec.image',
      'no image of this host',
      'name one of an image registry, with a tag: letters a to f and digits alone may be an id',
    );
}

const parse = (text: string, name: string) =>
  parseManifest(text, `programs/${name}.yaml`, name, { runtime: 'runc' });

function of({ rawSpec }: Program): {
  userId: string;
  context: string | undefined;
  image: string | undefined;
} {
  const { userId, build, image } = rawSpec as {
    userId: string;
    build?: { context: string };
    image?: string;
  };
  return {
    userId,
    context: build && normaliseFolder(build.context),
    image: image !== undefined && mayBeOfThisHost(image) ? image : undefined,
  };
}

function foreign(path: string, takes: string, hint: string): AppError {
  const message = `${path} must be ${takes}: this token is for programs of one user`;
  return new AppError('Forbidden', message, { hint, details: [{ path, message: `must be ${takes}` }] });
}
