/*
 * e_entry of every image. See enter.h for what it gets.
 */
	.text
	.globl	image_entry
	.hidden	image_entry
	.type	image_entry, @function
image_entry:
	xorl	%ebp, %ebp		/* outermost frame */
	movq	%rsp, %rdi
	movq	%rdx, %rsi
	andq	$-16, %rsp
	call	enter_main
	ud2
	.size	image_entry, . - image_entry

	.section .note.GNU-stack, "", @progbits
