/* classes.c: the classes that our trees and RNTuples use, as ROOT 6 has them: names, versions and check sums of members
 * are facts of the format. */
#include "classes.h"

#define LIMITS(type, bytes, name)                                                                                      \
	{                                                                                                              \
		STREAMER_BASE("TLeaf", T_BASE), {"fMinimum", "", type, bytes, name},                                   \
			{"fMaximum", "", type, bytes, name}, STREAMER_END                                              \
	}

static const struct streamer_element leaf_elements[] = {STREAMER_BASE("TNamed", T_TNAMED),
	{"fLen", "", T_INT, 4, "int"}, {"fLenType", "", T_INT, 4, "int"}, {"fOffset", "", T_INT, 4, "int"},
	{"fIsRange", "", T_BOOL, 1, "bool"}, {"fIsUnsigned", "", T_BOOL, 1, "bool"},
	{"fLeafCount", "", T_POINTER, 8, "TLeaf*"}, STREAMER_END};
static const struct streamer_element leaf_b[] = LIMITS(T_CHAR, 1, "char");
static const struct streamer_element leaf_s[] = LIMITS(T_SHORT, 2, "short");
static const struct streamer_element leaf_i[] = LIMITS(T_INT, 4, "int");
static const struct streamer_element leaf_l[] = LIMITS(T_LONG64, 8, "long long");
static const struct streamer_element leaf_f[] = LIMITS(T_FLOAT, 4, "float");
static const struct streamer_element leaf_d[] = LIMITS(T_DOUBLE, 8, "double");
static const struct streamer_element leaf_c[] = LIMITS(T_INT, 4, "int");
static const struct streamer_element leaf_o[] = LIMITS(T_BOOL, 1, "bool");
static const struct streamer_element array_elements[] = {STREAMER_BASE("TSeqCollection", T_BASE),
	{"fLowerBound", "", T_INT, 4, "int"}, {"fLast", "", T_INT, 4, "int"}, STREAMER_END};
static const struct streamer_element features_elements[] = {{"fIOBits", "", T_UCHAR, 1, "unsigned char"}, STREAMER_END};

static const struct streamer_element branch_elements[] = {
	STREAMER_BASE("TNamed", T_TNAMED),
	STREAMER_BASE("TAttFill", T_BASE),
	{"fCompress", "", T_INT, 4, "int"},
	{"fBasketSize", "", T_INT, 4, "int"},
	{"fEntryOffsetLen", "", T_INT, 4, "int"},
	{"fWriteBasket", "", T_INT, 4, "int"},
	{"fEntryNumber", "", T_LONG64, 8, "long long"},
	{"fIOFeatures", "", T_ANY, 1, "ROOT::TIOFeatures"},
	{"fOffset", "", T_INT, 4, "int"},
	{"fMaxBaskets", "", T_COUNTER, 4, "int"},
	{"fSplitLevel", "", T_INT, 4, "int"},
	{"fEntries", "", T_LONG64, 8, "long long"},
	{"fFirstEntry", "", T_LONG64, 8, "long long"},
	{"fTotBytes", "", T_LONG64, 8, "long long"},
	{"fZipBytes", "", T_LONG64, 8, "long long"},
	{"fBranches", "", T_OBJECT, 64, "TObjArray"},
	{"fLeaves", "", T_OBJECT, 64, "TObjArray"},
	{"fBaskets", "", T_OBJECT, 64, "TObjArray"},
	{"fBasketBytes", "[fMaxBaskets]", T_INT_ARRAY, 4, "int*"},
	{"fBasketEntry", "[fMaxBaskets]", T_LONG64_ARRAY, 8, "long long*"},
	{"fBasketSeek", "[fMaxBaskets]", T_LONG64_ARRAY, 8, "long long*"},
	{"fFileName", "", T_STRING, 24, "TString"},
	STREAMER_END,
};

static const struct streamer_element ref_table_elements[] = {STREAMER_BASE("TObject", T_TOBJECT),
	{"fSize", "", T_INT, 4, "int"}, {"fParents", "", T_POINTER, 8, "TObjArray*"},
	{"fOwner", "", T_POINTER, 8, "TObject*"}, {"fProcessGUIDs", "", T_STL, 24, "vector<string>"}, STREAMER_END};
static const struct streamer_element branch_ref_elements[] = {
	STREAMER_BASE("TBranch", T_BASE), {"fRefTable", "", T_POINTER, 8, "TRefTable*"}, STREAMER_END};

static const struct streamer_element tree_elements[] = {
	STREAMER_BASE("TNamed", T_TNAMED),
	STREAMER_BASE("TAttLine", T_BASE),
	STREAMER_BASE("TAttFill", T_BASE),
	STREAMER_BASE("TAttMarker", T_BASE),
	{"fEntries", "", T_LONG64, 8, "long long"},
	{"fTotBytes", "", T_LONG64, 8, "long long"},
	{"fZipBytes", "", T_LONG64, 8, "long long"},
	{"fSavedBytes", "", T_LONG64, 8, "long long"},
	{"fFlushedBytes", "", T_LONG64, 8, "long long"},
	{"fWeight", "", T_DOUBLE, 8, "double"},
	{"fTimerInterval", "", T_INT, 4, "int"},
	{"fScanField", "", T_INT, 4, "int"},
	{"fUpdate", "", T_INT, 4, "int"},
	{"fDefaultEntryOffsetLen", "", T_INT, 4, "int"},
	{"fNClusterRange", "", T_COUNTER, 4, "int"},
	{"fMaxEntries", "", T_LONG64, 8, "long long"},
	{"fMaxEntryLoop", "", T_LONG64, 8, "long long"},
	{"fMaxVirtualSize", "", T_LONG64, 8, "long long"},
	{"fAutoSave", "", T_LONG64, 8, "long long"},
	{"fAutoFlush", "", T_LONG64, 8, "long long"},
	{"fEstimate", "", T_LONG64, 8, "long long"},
	{"fClusterRangeEnd", "[fNClusterRange]", T_LONG64_ARRAY, 8, "long long*"},
	{"fClusterSize", "[fNClusterRange]", T_LONG64_ARRAY, 8, "long long*"},
	{"fIOFeatures", "", T_ANY, 1, "ROOT::TIOFeatures"},
	{"fBranches", "", T_OBJECT, 64, "TObjArray"},
	{"fLeaves", "", T_OBJECT, 64, "TObjArray"},
	{"fAliases", "", T_POINTER, 8, "TList*"},
	{"fIndexValues", "", T_ANY, 24, "TArrayD"},
	{"fIndex", "", T_ANY, 24, "TArrayI"},
	{"fTreeIndex", "", T_POINTER, 8, "TVirtualIndex*"},
	{"fFriends", "", T_POINTER, 8, "TList*"},
	{"fUserInfo", "", T_POINTER, 8, "TList*"},
	{"fBranchRef", "", T_POINTER, 8, "TBranchRef*"},
	STREAMER_END,
};

static const struct streamer_element ntuple_elements[] = {
	{"fVersionEpoch", "", T_USHORT, 2, "unsigned short"},
	{"fVersionMajor", "", T_USHORT, 2, "unsigned short"},
	{"fVersionMinor", "", T_USHORT, 2, "unsigned short"},
	{"fVersionPatch", "", T_USHORT, 2, "unsigned short"},
	{"fSeekHeader", "", T_ULONG, 8, "unsigned long"},
	{"fNBytesHeader", "", T_ULONG, 8, "unsigned long"},
	{"fLenHeader", "", T_ULONG, 8, "unsigned long"},
	{"fSeekFooter", "", T_ULONG, 8, "unsigned long"},
	{"fNBytesFooter", "", T_ULONG, 8, "unsigned long"},
	{"fLenFooter", "", T_ULONG, 8, "unsigned long"},
	{"fMaxKeySize", "", T_ULONG, 8, "unsigned long"},
	STREAMER_END,
};

const struct streamer_class classes[CLASSES] = {
	{"TObject", 0x901BC02Du, 1, streamer_object},
	{"TString", 0x00017419u, 2, streamer_string},
	{"TNamed", 0xDFB74A3Cu, 1, streamer_named},
	{"TCollection", 0x57E3CB9Cu, 3, streamer_collection},
	{"TSeqCollection", 0xFC6C3BC6u, 0, streamer_seq_collection},
	{"TObjArray", 0xA99E6552u, 3, array_elements},
	{"TList", 0x69C5C3BBu, 5, streamer_list},
	{"TAttLine", 0x94074549u, 2, streamer_line},
	{"TAttFill", 0xFFD92A92u, 2, streamer_fill},
	{"TAttMarker", 0x291D8BECu, 2, streamer_marker},
	{"ROOT::TIOFeatures", 0x1AA12F10u, 1, features_elements},
	{"TLeaf", 0x6D1E8152u, 2, leaf_elements},
	{"TLeafB", 0x0F1E4B5Eu, 1, leaf_b},
	{"TLeafS", 0x150CEECFu, 1, leaf_s},
	{"TLeafI", 0x7E6AAE19u, 1, leaf_i},
	{"TLeafL", 0xDE320862u, 1, leaf_l},
	{"TLeafF", 0x3ADD9D72u, 1, leaf_f},
	{"TLeafD", 0x118E8776u, 1, leaf_d},
	{"TLeafC", 0xFBE3B2F3u, 1, leaf_c},
	{"TLeafO", 0x02AE48D3u, 1, leaf_o},
	{"TBranch", 0x10978AACu, 13, branch_elements},
	{"TRefTable", 0x8C895B85u, 3, ref_table_elements},
	{"TBranchRef", 0x2360B3FDu, 1, branch_ref_elements},
	{"TTree", 0x7264E07Fu, 20, tree_elements},
	{"ROOT::RNTuple", 0x28E632ECu, 2, ntuple_elements},
};
