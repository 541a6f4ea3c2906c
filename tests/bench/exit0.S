/* The least that a process can do: the floor of every figure. */
	.globl _start
_start:
	mov	$231, %eax	/* exit_group(0) */
	xor	%edi, %edi
	syscall
	.section .note.GNU-stack,"",@progbits
