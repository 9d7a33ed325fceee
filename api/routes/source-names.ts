import { isTemporary } from '../../registry/files/atomic-write.ts';
import { AppError, type Problem } from '../../schemas/errors.ts';

/** Most files one `POST /programs` may bring. */
export const SOURCE_FILES_MAX = 10_000;
/** What Linux file systems take for one name, in bytes of UTF-8. */
const COMPONENT_BYTES_MAX = 255;
/** Room for the folder in front stays below the 4,096 bytes Linux takes for a path. */
const NAME_BYTES_MAX = 3_000;
/** Problems told at once. */
const PROBLEMS_MAX = 20;

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The files of a `POST /programs` with the Dockerfile among them, as they are written to disk. A name must mean
 * the same file on every machine and can not leave its folder; `BadRequest` names each one that does not, and says
 * what to do. Text that is not valid Unicode is refused too: it would be written as something else.
 */
export function sourceFiles(
  srcFiles: Readonly<Record<string, string>>,
  dockerfile: string,
): Map<string, string> {
  const problems: Problem[] = [];
  const refuse = (name: string, message: string): void => {
    problems.push({ path: `src_files[${JSON.stringify(name)}]`, message: `${quote(name)} ${message}` });
  };

  const names = Object.keys(srcFiles);
  if (names.length > SOURCE_FILES_MAX) {
    throw new AppError(
      'BadRequest',
      `src_files has ${names.length} files; at most ${SOURCE_FILES_MAX} are taken`,
    );
  }
  const files = new Map<string, string>([['Dockerfile', dockerfile]]);
  if (LONE_SURROGATE.test(dockerfile)) {
    problems.push({ path: 'dockerfile', message: 'dockerfile is not valid Unicode (a lone surrogate)' });
  }
  const tree = createTree();
  tree.add('Dockerfile');
  for (const [name, content] of Object.entries(srcFiles)) {
    const problem = nameProblem(name) ?? collision(tree, name, content, dockerfile);
    if (problem !== undefined) refuse(name, problem);
    else if (LONE_SURROGATE.test(content))
      refuse(name, 'has content that is not valid Unicode (a lone surrogate)');
    else files.set(name, content);
  }

  const first = problems[0];
  if (first !== undefined) {
    throw new AppError('BadRequest', `bad file name or content: ${first.message}`, {
      details: problems.slice(0, PROBLEMS_MAX),
    });
  }
  return files;
}

/** What is wrong with one name by itself and what to do, or undefined. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'is empty; give the file a name';
  if (name.includes('\0')) return 'holds a NUL character; remove it';
  if (CONTROL.test(name)) return 'holds a control character; remove it';
  if (LONE_SURROGATE.test(name)) return 'is not valid Unicode; rename the file';
  if (name.includes('\\')) return 'holds a backslash; separate folders with /';
  if (name.startsWith('/')) return 'is absolute; make it relative to the source folder';
  if (name !== name.normalize('NFC')) return 'is not in Unicode form NFC; normalise the name';
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) return `is longer than ${NAME_BYTES_MAX} bytes; shorten it`;
  for (const component of name.split('/')) {
    const problem = componentProblem(component);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function componentProblem(component: string): string | undefined {
  if (component === '') return 'has an empty part; write single slashes and none at the end';
  if (component === '.') return 'has a "." part; leave it out';
  if (component === '..') return 'climbs out of its folder; leave out the ".." parts';
  if (isTemporary(component)) return `has a part that begins as the host's own temporary files do; rename it`;
  if (component.toLowerCase() === '.git') return 'is inside .git; leave the .git folder out';
  if (Buffer.byteLength(component) > COMPONENT_BYTES_MAX) {
    return `has a part longer than ${COMPONENT_BYTES_MAX} bytes; shorten it`;
  }
  return undefined;
}

function collision(tree: Tree, name: string, content: string, dockerfile: string): string | undefined {
  if (name === 'Dockerfile') {
    if (content === dockerfile) return undefined;
    return 'differs from the field "dockerfile"; leave it out of src_files or send the same content';
  }
  return tree.add(name);
}

interface Tree {
  /** Takes a name in; gives what it collides with and what to do, or undefined. */
  add(name: string): string | undefined;
}

/** The files and folders so far, by names as a file system that ignores case sees them. */
function createTree(): Tree {
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  return {
    add(name) {
      const folded = fold(name);
      const file = files.get(folded);
      if (file !== undefined) return `collides with ${quote(file)} where case is ignored; rename one`;
      const folder = folders.get(folded);
      if (folder !== undefined) return `is a file, but other files need it as a folder; rename one`;

      const parents: [string, string][] = [];
      for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
        const parent = name.slice(0, slash);
        const foldedParent = fold(parent);
        const blocking = files.get(foldedParent);
        if (blocking !== undefined)
          return `needs ${quote(blocking)} as a folder, but it is a file; rename one`;
        const known = folders.get(foldedParent);
        if (known !== undefined && known !== parent) {
          return `is in folder ${quote(parent)}, which differs from ${quote(known)} by case only; rename one`;
        }
        parents.push([foldedParent, parent]);
      }
      for (const [foldedParent, parent] of parents) folders.set(foldedParent, parent);
      files.set(folded, name);
      return undefined;
    },
  };
}

/** Through upper case first, so that `ß` meets `ss` as it does in full case folding. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase().normalize('NFC');
}

function quote(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
}
