/* layout.h: positions and numbers of the container that are written in one place and read in another. */
#ifndef ROOT_LAYOUT_H
#define ROOT_LAYOUT_H

#define BIG                1000000u
#define FILE_VERSION       (BIG + 63600u) /* a ROOT with RNTuple 1, big form */
#define KEY_VERSION        1004u
#define DIRECTORY_VERSION  1005u
#define FREE_VERSION       1001u
#define UUID_VERSION       1u
#define HEAD_BYTES         75u
#define COMMIT_AT          80u /* our own number, in the unused bytes between head and directory */
#define BEGIN              100u
#define KEY_NUMBER_BYTES   34u
#define DIRECTORY_BYTES    60u
#define SECTOR_BYTES       512u
#define FREE_BYTES         18u /* of a segment in the list */
#define FREE_END           (1ull << 62)
#define GAP_BYTES_MIN      4u
#define TITLE              "ENRGDAQ"             /* of the file: how we know our own */
#define NOTE_MAGIC         0x454E52474E4F5445ull /* "ENRGNOTE" */
#define NOTE_PAYLOAD_BYTES 64u
#define NOTE_BYTES         (KEY_NUMBER_BYTES + 6 + 1 + 1 + NOTE_PAYLOAD_BYTES)

/* In the head: */
#define HEAD_END_AT        12u
#define HEAD_FREE_AT       20u /* its position, its bytes, its count: 16 bytes in all */
#define HEAD_NAME_BYTES_AT 36u
/* In the directory, behind its key and names: */
#define DIRECTORY_LIST_BYTES_AT 10u
#define DIRECTORY_LIST_AT       34u
/* In the payload of a note: */
#define NOTE_COMMIT_AT     8u
#define NOTE_END_AT        16u
#define NOTE_LIST_AT       24u
#define NOTE_LIST_BYTES_AT 32u
#define NOTE_FREE_AT       40u /* as in the head: position, bytes, count */
#define NOTE_SUM_AT        56u

#endif
