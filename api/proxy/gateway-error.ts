import { AppError, codeOf, messageOf } from '../../schemas/errors.ts';

/** What went wrong between us and the program, in words for the client. */
export function gatewayError(error: Error): AppError {
  if (error instanceof AppError) return error;
  return new AppError('BadGateway', `the program did not answer: ${describe(error)}`, {
    cause: error,
    hint: 'it must listen on port 8080, on all addresses; GET /programs/{id}/logs shows what it says',
  });
}

/** No first byte in time. */
export function tooLate(): AppError {
  return new AppError('GatewayTimeout', 'the program did not answer in time', {
    hint: 'its log may say why: GET /programs/{id}/logs',
  });
}

const CLOSED = new Set(['ECONNRESET', 'EPIPE']);

/** Whether the connection ended, or none came about: nothing that the program said. */
export function isConnectionLost(error: Error): boolean {
  const code = codeOf(error);
  return CLOSED.has(code) || code === 'ECONNREFUSED';
}

function describe(error: Error): string {
  const code = codeOf(error);
  if (code === 'ECONNREFUSED') return 'nothing listens on its port';
  return CLOSED.has(code) ? 'it closed the connection' : messageOf(error);
}
