import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeRegistry } from '../registry/make-registry.ts';
import { AppError, messageOf } from '../schemas/errors.ts';

const USAGE = `Usage: hersh-host init DIR [--git]

Makes DIR a registry: its folders, a .gitignore, a README.md, and an id of its own.
A registry that is there already stays as it is.

  --git    makes it a git work tree too, with a first commit`;

/** What a command says, and the code that it ends with. */
export interface Said {
  code: number;
  text: string;
}

/**
 * `hersh-host init`. Never rejects for what people do wrong.
 * @param argv behind `init`
 */
export async function init(argv: readonly string[]): Promise<Said> {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { git: { type: 'boolean' }, help: { type: 'boolean' } },
    });
    if (values.help === true) return { code: 0, text: USAGE };
    const [folder = '', ...more] = positionals;
    if (folder === '' || more.length > 0) return { code: 2, text: USAGE };
    const root = resolve(folder);
    const isNew = await makeRegistry(root, values.git === true);
    if (!isNew) return { code: 0, text: `${root} is a registry already; nothing was changed.` };
    return { code: 0, text: `${root} is a registry now. Start a host on it: hersh-host --registry ${root}` };
  } catch (error) {
    if (!(error instanceof AppError)) return { code: 2, text: `${messageOf(error)}\n\n${USAGE}` };
    return { code: 1, text: [error.message, error.hint ?? ''].filter(Boolean).join('\n') };
  }
}
