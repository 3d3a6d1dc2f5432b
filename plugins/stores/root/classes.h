/* classes.h: the classes that the files of this store describe. */
#ifndef ROOT_CLASSES_H
#define ROOT_CLASSES_H

#include "rootio/streamer.h"

#define CLASSES 25u

extern const struct streamer_class classes[CLASSES];

#endif
