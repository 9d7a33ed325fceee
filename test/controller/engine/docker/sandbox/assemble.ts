/**
 * An assembler of the few instructions that the sandbox's process is made of, by the encodings of the machines' manuals
 * (Intel SDM volume 2, Arm ARM C6): what listings are held against.
 */

/** The bytes of one instruction; `back` is how far a branch goes, from the instruction's end or from its beginning. */
type Encoding = readonly [form: RegExp, bytes: (args: string[], back: Distance) => Buffer];

export interface Distance {
  fromEnd: number;
  fromStart: number;
}

const REGISTERS = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];

/** 0 to 15 of `rax`, `esi`, `r10`. */
function register(name = ''): number {
  const number = /^r(\d+)$/.exec(name)?.[1];
  const at = number === undefined ? REGISTERS.indexOf(name.slice(1)) : Number(number);
  if (at < 0) throw new Error(`no register ${name}`);
  return at;
}

const fromRegister = (source = '', target = '') => 0xc0 | (register(source) << 3) | register(target);

function int32(value = ''): number[] {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(Number(value));
  return [...bytes];
}

function pushed(value = ''): number[] {
  return Number(value) < 0x80 ? [0x6a, Number(value)] : [0x68, ...int32(value)];
}

function popped(name = ''): number[] {
  const at = register(name);
  return at < 8 ? [0x58 + at] : [0x41, 0x58 + at - 8];
}

export const AMD64_ENCODINGS: readonly Encoding[] = [
  [/^push (\w+)$/, ([value]) => Buffer.from(pushed(value))],
  [/^pop (r\w+)$/, ([name]) => Buffer.from(popped(name))],
  [/^mov (r[a-z]+), (r[a-z]+)$/, ([to, from]) => Buffer.from([0x48, 0x89, fromRegister(from, to)])],
  [/^mov (e\w+), (\d+)$/, ([to, value]) => Buffer.from([0xb8 + register(to), ...int32(value)])],
  [/^xor (e\w+), (e\w+)$/, ([to, from]) => Buffer.from([0x31, fromRegister(from, to)])],
  [/^cmp (e\w+), (\d+)$/, ([one, value]) => Buffer.from([0x83, 0xf8 | register(one), Number(value)])],
  [/^jne \w+$/, (_, { fromEnd }) => Buffer.from([0x75, fromEnd & 0xff])],
  [/^syscall$/, () => Buffer.from([0x0f, 0x05])],
];

function word(...bits: number[]): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(bits.reduce((all, some) => (all | some) >>> 0, 0));
  return bytes;
}

const SP = 31 << 5;

export const ARM64_ENCODINGS: readonly Encoding[] = [
  [/^mov x(\d+), #(\w+)$/, ([to, value]) => word(0xd2800000, Number(value) << 5, Number(to))],
  [/^mov x(\d+), sp$/, ([to]) => word(0x91000000, SP, Number(to))],
  [
    /^str x(\d+), \[sp, #(-\d+)\]!$/,
    ([of, by]) => word(0xf8000c00, (Number(by) & 0x1ff) << 12, SP, Number(of)),
  ],
  [/^cmp x(\d+), #(\d+)$/, ([one, value]) => word(0xf100001f, Number(value) << 10, Number(one) << 5)],
  [/^b\.ne \w+$/, (_, { fromStart }) => word(0x54000001, ((fromStart / 4) & 0x7ffff) << 5)],
  [/^svc #0$/, () => word(0xd4000001)],
];

export function assemble(encodings: readonly Encoding[], instruction: string, distance: Distance): Buffer {
  for (const [form, bytes] of encodings) {
    const found = form.exec(instruction);
    if (found !== null) return bytes(found.slice(1), distance);
  }
  throw new Error(`no encoding of ${instruction}`);
}
