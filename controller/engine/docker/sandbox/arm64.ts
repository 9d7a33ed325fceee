/**
 * The process of a sandbox for arm64: what `amd64.ts` says, in that machine's words. Numbers of system calls from the
 * kernel's `include/uapi/asm-generic/unistd.h`; arguments in x0 to x3, of which a call changes x0 alone.
 */
export const ARM64 = `
      09 00 88 d2  mov x9, #0x4000      ; the set: bit 14 is SIGTERM, 15
      e9 0f 1f f8  str x9, [sp, #-16]!  ; on the stack, which moves by 16
      00 00 80 d2  mov x0, #0           ; how: SIG_BLOCK, 0
      e1 03 00 91  mov x1, sp           ; set
      02 00 80 d2  mov x2, #0           ; no old set
      03 01 80 d2  mov x3, #8           ; bytes of a set
      e8 10 80 d2  mov x8, #135         ; rt_sigprocmask
      01 00 00 d4  svc #0
wait: e0 03 00 91  mov x0, sp           ; set
      01 00 80 d2  mov x1, #0           ; nothing to be told beside the number
      28 11 80 d2  mov x8, #137         ; rt_sigtimedwait; x2, its time limit, is none, and x3 as above
      01 00 00 d4  svc #0
      1f 3c 00 f1  cmp x0, #15          ; SIGTERM
      61 ff ff 54  b.ne wait
      00 00 80 d2  mov x0, #0           ; code 0
      a8 0b 80 d2  mov x8, #93          ; exit
      01 00 00 d4  svc #0
`;
