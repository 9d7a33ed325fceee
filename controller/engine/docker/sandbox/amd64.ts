/**
 * The process of a sandbox for x86-64 (Intel's syntax; numbers of system calls from the kernel's
 * `arch/x86/entry/syscalls/syscall_64.tbl`, which take their arguments in rdi, rsi, rdx, r10 and change rax alone of
 * what is used here). In C: `sigset_t set = {SIGTERM}; sigprocmask(SIG_BLOCK, &set, 0);
 * while (sigtimedwait(&set, 0, 0) != SIGTERM); exit(0);`
 *
 * To pid 1 a signal that it neither handles nor blocks is not delivered at all, hence the first call; and a wait ends
 * without a signal where the process was stopped or frozen and goes on (EINTR), hence the loop.
 */
export const AMD64 = `
      68 00 40 00 00  push 0x4000    ; the set, on the stack: bit 14 is SIGTERM, 15
      48 89 e6        mov rsi, rsp   ; set
      31 ff           xor edi, edi   ; how: SIG_BLOCK, 0
      31 d2           xor edx, edx   ; no old set
      6a 08           push 8
      41 5a           pop r10        ; bytes of a set
      6a 0e           push 14
      58              pop rax        ; rt_sigprocmask
      0f 05           syscall
wait: 48 89 e7        mov rdi, rsp   ; set
      31 f6           xor esi, esi   ; nothing to be told beside the number
      b8 80 00 00 00  mov eax, 128   ; rt_sigtimedwait; rdx, its time limit, is none, and r10 as above
      0f 05           syscall
      83 f8 0f        cmp eax, 15    ; SIGTERM
      75 ef           jne wait
      31 ff           xor edi, edi   ; code 0
      6a 3c           push 60
      58              pop rax        ; exit
      0f 05           syscall
`;
