/* odd.h: cases with data and names that a format may have no place for. */
#ifndef CONFORMANCE_ODD_H
#define CONFORMANCE_ODD_H

void odd_values_are_kept(void);
void odd_names_keep_their_columns_apart(void);
void missing_values_keep_their_places(void);
void path_outside_of_out_dir_is_refused(void);
void large_object_is_whole(void);
void newest_may_have_other_columns(void);
void file_cut_anywhere_goes_on(void);

#endif
