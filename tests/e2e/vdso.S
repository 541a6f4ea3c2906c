# A vDSO of no kernel: its clock stands still at 1000000000.5 s, and it knows
# neither time() nor clock_getres(). See vdso.lds.
	.text
	.globl	__vdso_clock_gettime
	.type	__vdso_clock_gettime, @function
__vdso_clock_gettime:
	movq	$1000000000, (%rsi)
	movq	$500000000, 8(%rsi)
	xorl	%eax, %eax
	ret
	.size	__vdso_clock_gettime, . - __vdso_clock_gettime

	.globl	__vdso_gettimeofday
	.type	__vdso_gettimeofday, @function
__vdso_gettimeofday:
	movq	$1000000000, (%rdi)
	movq	$500000, 8(%rdi)
	xorl	%eax, %eax
	ret
	.size	__vdso_gettimeofday, . - __vdso_gettimeofday

	.globl	__vdso_getcpu
	.type	__vdso_getcpu, @function
__vdso_getcpu:
	movl	$77, (%rdi)
	xorl	%eax, %eax
	ret
	.size	__vdso_getcpu, . - __vdso_getcpu
	.section .note.GNU-stack, "", @progbits
