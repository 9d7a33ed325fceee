import { AppError } from '../../schemas/errors.ts';
import { isRecord } from '../../schemas/is-record.ts';
import { nearest, unknownField } from '../../schemas/nearest.ts';
import { NAME_PATTERN, USER_ID_PATTERN } from '../../schemas/program.ts';
import { jsonObject } from '../http/json-body.ts';
import { sourceFiles } from './source-names.ts';

const CREATE_FIELDS = ['user_id', 'dockerfile', 'src_files', 'name'];
/** Unknown fields that are looked at, and how long they may be, in characters: nobody mistypes more. */
const FIELDS_MAX = 100;
const FIELD_LENGTH_MAX = 64;

export interface CreateRequest {
  userId: string;
  /** Of the program; left out, it is given one. */
  name?: string;
  files: Map<string, string>;
}

/** The body of `POST /programs`. Throws `BadRequest`, naming the field. */
export function parseCreate(text: string): CreateRequest {
  if (text.trim() === '') bad('the body is empty; a JSON object is expected', '');
  const body = jsonObject(text);
  const userId = parseUserId(body);
  const name = parseName(body.name);
  return { userId, ...(name !== undefined && { name }), files: filesIn(body) };
}

/** The body of `PUT /programs/{id}/sources`; its user may be left out. Throws `BadRequest`, naming the field. */
export function parseSources(text: string): { userId?: string; files: Map<string, string> } {
  if (text.trim() === '') bad('the body is empty; a JSON object is expected', '');
  const body = jsonObject(text);
  const files = filesIn(body);
  return body.user_id === undefined ? { files } : { userId: parseUserId(body), files };
}

function parseUserId(body: Readonly<Record<string, unknown>>): string {
  const userId = body.user_id;
  if (userId === undefined || userId === null || userId === '') bad('user_id is required', 'user_id');
  if (typeof userId !== 'string') bad('user_id must be a string', 'user_id');
  if (!USER_ID_PATTERN.test(userId)) {
    bad(
      'user_id must begin with a letter or digit and hold only letters, digits, ".", "_" and "-", at most 63',
      'user_id',
    );
  }
  return userId;
}

/** As `metadata.name` of a manifest. A client that sends an empty one means none. */
function parseName(name: unknown): string | undefined {
  if (name === undefined || name === null || name === '') return undefined;
  if (typeof name !== 'string') bad('name must be a string', 'name');
  if (NAME_PATTERN.test(name)) return name;
  bad(
    'name must begin with a letter or digit and hold only letters, digits, ".", "_" and "-", at most 128',
    'name',
  );
}

function filesIn(body: Readonly<Record<string, unknown>>): Map<string, string> {
  const dockerfile = body.dockerfile;
  if (dockerfile === undefined || dockerfile === null || dockerfile === '') {
    const hint = body.Dockerfile === undefined ? undefined : 'the key is "dockerfile", in lower case';
    bad('dockerfile is required', 'dockerfile', hint);
  }
  if (typeof dockerfile !== 'string') bad('dockerfile must be a string: the text of the file', 'dockerfile');
  refuseMistypedFiles(body);
  return sourceFiles(parseFiles(body.src_files), dockerfile);
}

/** Clients may send fields of their own; but what was meant as `src_files` would make a program without sources. */
function refuseMistypedFiles(body: Readonly<Record<string, unknown>>): void {
  if (body.src_files !== undefined) return;
  const meant = Object.keys(body)
    .filter((field) => !CREATE_FIELDS.includes(field) && field.length <= FIELD_LENGTH_MAX)
    .slice(0, FIELDS_MAX)
    .find((field) => nearest(field, CREATE_FIELDS) === 'src_files');
  if (meant !== undefined) bad(unknownField(meant, meant, CREATE_FIELDS), meant);
}

function parseFiles(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) bad('src_files must be an object of file names and their contents', 'src_files');
  for (const [name, content] of Object.entries(value)) {
    const path = `src_files[${JSON.stringify(name)}]`;
    if (typeof content !== 'string') bad(`${path} must be a string: the content of the file`, path);
  }
  return value as Record<string, string>;
}

function bad(message: string, path: string, hint?: string): never {
  throw new AppError('BadRequest', message, {
    hint,
    details: [{ path, message }],
  });
}
