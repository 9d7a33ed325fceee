/** The tokens file: not of the registry, which builds and commits take from, but YAML as manifests are. */

import { Document, isMap, isSeq } from 'yaml';
import { AppError, messageOf } from '../../schemas/errors.ts';
import { API_VERSION } from '../../schemas/program.ts';
import type { StoredToken } from '../../schemas/token.ts';
import { validateTokens } from '../../schemas/validate-tokens.ts';
import { dataOf, parseYamlDocument } from '../manifests/yaml-document.ts';

/**
 * The tokens that a text holds, YAML or JSON. Throws `BadRequest` that says what is wrong, without a value of it.
 * @param file for the words
 */
export function parseTokens(text: string, file: string): StoredToken[] {
  return tokensIn(documentOf(text, file), file);
}

/** The text with one more token, all else as it stands. `""` for a file that is not there yet. Throws as `parseTokens`. */
export function withToken(text: string, file: string, token: StoredToken): string {
  const document =
    text === ''
      ? new Document({ apiVersion: API_VERSION, kind: 'Tokens', tokens: [] })
      : documentOf(text, file);
  if (text !== '') tokensIn(document, file);
  const list = document.get('tokens');
  // An empty list of a new file is written `[]`, and what comes into it would be on one line.
  if (isSeq(list) && list.items.length === 0) list.flow = false;
  document.addIn(['tokens'], document.createNode(token));
  return document.toString({ lineWidth: 0 });
}

/** The text without those tokens, all else as it stands. Throws as `parseTokens`. */
export function withoutTokens(text: string, file: string, ids: ReadonlySet<string>): string {
  const document = documentOf(text, file);
  tokensIn(document, file);
  const list = document.get('tokens');
  if (isSeq(list)) list.items = list.items.filter((item) => !isMap(item) || !ids.has(String(item.get('id'))));
  return document.toString({ lineWidth: 0 });
}

function documentOf(text: string, file: string): Document {
  let parsed: ReturnType<typeof parseYamlDocument>;
  try {
    parsed = parseYamlDocument(text);
  } catch (error) {
    throw new AppError('BadRequest', `${file} can not be read: ${messageOf(error)}`);
  }
  const [first] = parsed.document.errors;
  // Its message may hold what stands there.
  if (first !== undefined) throw new AppError('BadRequest', `${file} is not valid YAML (${first.code})`);
  if (parsed.secondAt !== undefined) throw new AppError('BadRequest', `${file} holds more than one document`);
  return parsed.document;
}

function tokensIn(document: Document, file: string): StoredToken[] {
  const { tokens, problems } = validateTokens(dataOf(document));
  if (tokens !== undefined) return tokens;
  throw new AppError('BadRequest', `${file}: ${problems.join('; ')}`);
}
