/* "Did you mean ...?": the known word that is nearest to one that is not known. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

/*
 * The candidate (of a NULL-terminated list) with the fewest edits from word,
 * or NULL if none is near: more than one letter in three would have to change.
 * An edit is a letter put in, left out, replaced, or exchanged with its
 * neighbour; upper and lower case count as the same. Of equals the first wins.
 */
const char *nearest(const char *word, const char *const *candidates);

/*
 * For candidates that are no list: the edits between word and candidate, or
 * -1 if that is not near.
 */
int nearest_distance(const char *word, const char *candidate);

#endif
