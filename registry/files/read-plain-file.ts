import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Opens a file to read, and rejects for whatever else lies there: on a pipe one would wait for ever, without a word. */
export async function openPlainFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error('it is not a file');
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Its text as UTF-8. */
export async function readPlainFile(path: string): Promise<string> {
  const file = await openPlainFile(path);
  try {
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
