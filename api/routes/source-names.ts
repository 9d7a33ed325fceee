import { isTemporary } from '../../registry/files/atomic-write.ts';
import { AppError, type Problem } from '../../schemas/errors.ts';
import { gitsOwn, isRepository } from '../../schemas/names-of-git.ts';

/** Most files one `POST /programs` may bring. */
export const SOURCE_FILES_MAX = 10_000;
/** What Linux file systems take for one name, in bytes of UTF-8. */
const COMPONENT_BYTES_MAX = 255;
/** Room for the folder in front stays below the 4,096 bytes Linux takes for a path. */
const NAME_BYTES_MAX = 3_000;
/** Of all names together: each is looked at several times, while nothing else has its turn. */
const NAMES_CHARS_MAX = 2 * 2 ** 20;
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

  mustBeFew(Object.keys(srcFiles));
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

  const repository = tree.repository();
  if (repository !== undefined) refuse(repository, 'makes its folder a git repository; leave it out');
  const first = problems[0];
  if (first !== undefined) {
    throw new AppError('BadRequest', `bad file name or content: ${first.message}`, {
      details: problems.slice(0, PROBLEMS_MAX),
    });
  }
  return files;
}

function mustBeFew(names: readonly string[]): void {
  if (names.length > SOURCE_FILES_MAX) {
    const message = `src_files has ${names.length} files; at most ${SOURCE_FILES_MAX} are taken`;
    throw new AppError('BadRequest', message);
  }
  const characters = names.reduce((sum, name) => sum + name.length, 0);
  if (characters > NAMES_CHARS_MAX) {
    const message = `the names in src_files have ${characters} characters; at most ${NAMES_CHARS_MAX} are taken`;
    throw new AppError('BadRequest', message, {
      hint: 'Use shorter names, or fewer folders in one another.',
    });
  }
}

/** What is wrong with one name by itself and what to do, or undefined. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'is empty; give the file a name';
  // First of all: whatever else is looked at takes as long as the name is.
  if (name.length > NAME_BYTES_MAX || Buffer.byteLength(name) > NAME_BYTES_MAX)
    return `is longer than ${NAME_BYTES_MAX} bytes; shorten it`;
  if (name.includes('\0')) return 'holds a NUL character; remove it';
  if (CONTROL.test(name)) return 'holds a control character; remove it';
  if (LONE_SURROGATE.test(name)) return 'is not valid Unicode; rename the file';
  if (name.includes('\\')) return 'holds a backslash; separate folders with /';
  if (name.startsWith('/')) return 'is absolute; make it relative to the source folder';
  if (name !== name.normalize('NFC')) return 'is not in Unicode form NFC; normalise the name';
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
  const gits = gitsOwn(component);
  if (gits === '.git') return 'is inside .git, or what some systems take for it; leave the .git folder out';
  if (gits !== undefined) return `is ${gits} to git, or what some systems take for it; leave it out`;
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
  /** A file by which git would take its folder for a repository; undefined where there is none. */
  repository(): string | undefined;
}

/** A file, or a folder with what is in it, by names as a file system that ignores case sees them. */
interface Node {
  name: string;
  inner: Map<string, Node> | undefined;
}

/** The files and folders so far. Takes as long for a name as that is. */
function createTree(): Tree {
  const top = new Map<string, Node>();
  return {
    add(name) {
      const parts = name.split('/');
      const above: string[] = [];
      let at = top;
      for (const [index, part] of parts.entries()) {
        const isFile = index === parts.length - 1;
        const folded = fold(part);
        const known = at.get(folded);
        const path = () => [...above, known?.name ?? part].join('/');
        if (isFile) {
          if (known?.inner === undefined && known !== undefined)
            return `collides with ${quote(path())} where case is ignored; rename one`;
          if (known !== undefined) return 'is a file, but other files need it as a folder; rename one';
          at.set(folded, { name: part, inner: undefined });
          return undefined;
        }
        if (known !== undefined && known.inner === undefined)
          return `needs ${quote(path())} as a folder, but it is a file; rename one`;
        if (known !== undefined && known.name !== part) {
          const own = quote([...above, part].join('/'));
          return `is in folder ${own}, which differs from ${quote(path())} by case only; rename one`;
        }
        const inner: Map<string, Node> = known?.inner ?? new Map();
        if (known === undefined) at.set(folded, { name: part, inner });
        above.push(part);
        at = inner;
      }
      return undefined;
    },
    repository: () => repositoryIn(top, ''),
  };
}

/** As deep as the longest name goes. */
function repositoryIn(folder: ReadonlyMap<string, Node>, path: string): string | undefined {
  const has = (name: string) => {
    const found = folder.get(name);
    return found && (found.inner === undefined ? 'file' : 'folder');
  };
  if (isRepository(has)) return `${path}${folder.get('head')?.name}`;
  for (const { name, inner } of folder.values()) {
    const found = inner && repositoryIn(inner, `${path}${name}/`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Through upper case first, so that `ß` meets `ss` as it does in full case folding. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase().normalize('NFC');
}

function quote(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
}
