/* pipeline/default.pipeline, as part of this executable. */
#ifndef PIPELINE_STOCK_H
#define PIPELINE_STOCK_H

extern const char stock_pipeline[]; /* ends with a NUL */

#endif
