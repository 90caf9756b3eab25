#include "stock.h"

/* C has no #embed yet. The Makefile knows that this depends on the file. */
__asm__(".pushsection .rodata\n"
	".globl stock_pipeline\n"
	"stock_pipeline:\n"
	".incbin \"pipeline/default.pipeline\"\n"
	".byte 0\n"
	".popsection\n");
