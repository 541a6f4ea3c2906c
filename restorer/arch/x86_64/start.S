/*
 * pyimage begins here, and leaves for the image. See start.h.
 */
	.text
	.globl	_start
	.type	_start, @function
_start:
	xorl	%ebp, %ebp		/* outermost frame */
	movq	%rsp, %rdi
	andq	$-16, %rsp
	call	start_main
	ud2
	.size	_start, . - _start

	.globl	start_jump
	.hidden	start_jump
	.type	start_jump, @function
start_jump:				/* rdi entry, rsi stack, rdx skip */
	movq	%rsi, %rsp
	xorl	%ebp, %ebp
	jmp	*%rdi
	.size	start_jump, . - start_jump

	.section .note.GNU-stack, "", @progbits
