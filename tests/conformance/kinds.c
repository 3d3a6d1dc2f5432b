/* kinds.c: the table of stores under test. */
#include "kinds.h"

#include "readers.h"

const struct store_kind store_kinds[] = {
	{ .name = "memory", .module = "memory", .type = "DAQJobStoreMemory" },
	{ .name = "memory, void", .module = "memory", .type = "DAQJobStoreMemory", .store_keys = "void_data = true" },
	{ .name = "csv", .module = "csv", .type = "DAQJobStoreCSV", .section_keys = "file_path = \"t.csv\"",
	  .file_path = "t.csv", .has_out_dir = true, .has_dates = true, .missing = "", .read_back = read_csv },
	{ .name = "csv, zstd", .module = "csv", .type = "DAQJobStoreCSV",
	  .section_keys = "file_path = \"t.csv\"\nuse_zstd = true", .file_path = "t.csv.zst", .has_out_dir = true,
	  .has_dates = true, .missing = "", .read_back = read_csv_zstd },
	{ .name = "csv, overwrite", .module = "csv", .type = "DAQJobStoreCSV",
	  .section_keys = "file_path = \"t.csv\"\noverwrite = true", .file_path = "t.csv", .has_out_dir = true,
	  .has_dates = true, .keeps_newest = true, .missing = "", .read_back = read_csv },
	{ .name = "csv, overwrite, zstd", .module = "csv", .type = "DAQJobStoreCSV",
	  .section_keys = "file_path = \"t.csv.zst\"\noverwrite = true\nuse_zstd = true", .file_path = "t.csv.zst",
	  .has_out_dir = true, .has_dates = true, .keeps_newest = true, .missing = "", .read_back = read_csv_zstd },
	{ .name = "arrow", .module = "arrow", .type = "DAQJobStoreArrow", .section_keys = "file_path = \"t.arrows\"",
	  .file_path = "t.arrows", .has_out_dir = true, .has_dates = true, .read_back = read_arrows },
	{ .name = "arrow, each commit synced", .module = "arrow", .type = "DAQJobStoreArrow",
	  .section_keys = "file_path = \"deep/er/t.arrows\"\nsync_seconds = 0", .file_path = "deep/er/t.arrows",
	  .has_out_dir = true, .has_dates = true, .read_back = read_arrows },
	{ .name = "arrow, zstd", .module = "arrow", .type = "DAQJobStoreArrow",
	  .section_keys = "file_path = \"t.arrows\"\ncompression = \"zstd\"", .file_path = "t.arrows",
	  .has_out_dir = true, .has_dates = true, .read_back = read_arrows },
#ifdef ENRG_HAS_LZ4
	{ .name = "arrow, lz4", .module = "arrow", .type = "DAQJobStoreArrow",
	  .section_keys = "file_path = \"t.arrows\"\ncompression = \"lz4\"", .file_path = "t.arrows",
	  .has_out_dir = true, .has_dates = true, .read_back = read_arrows },
#endif
	{ .name = "raw", .module = "raw", .type = "DAQJobStoreRaw",
	  .section_keys = "file_path = \"t\"\noverwrite = false", .file_path = "t.arrows", .has_out_dir = true,
	  .has_dates = true, .read_back = read_raw },
	{ .name = "raw, overwrite", .module = "raw", .type = "DAQJobStoreRaw", .section_keys = "file_path = \"t\"",
	  .file_path = "t.arrows", .has_out_dir = true, .has_dates = true, .read_back = read_raw },
#ifdef ENRG_HAS_SQLITE
	{ .name = "sqlite", .module = "sqlite", .type = "DAQJobStoreSQLite",
	  .section_keys = "file_path = \"t.sqlite\"\ntable_name = \"t\"", .file_path = "t.sqlite", .has_out_dir = true,
	  .is_database = true, .missing = "NULL", .read_back = read_sqlite },
#endif
#ifdef ENRG_HAS_HDF5
	{ .name = "hdf5", .module = "hdf5", .type = "DAQJobStoreHDF5", .store_keys = "flush_seconds = 0",
	  .section_keys = "file_path = \"t.h5\"\ndataset_name = \"scan/run\"", .file_path = "t.h5", .has_out_dir = true,
	  .has_dates = true, .is_indexed = true, .missing = "", .read_back = read_hdf5 },
	{ .name = "hdf5, deflate", .module = "hdf5", .type = "DAQJobStoreHDF5",
	  .section_keys = "file_path = \"deep/t.h5\"\ndataset_name = \"/scan/run/\"\ncompression = \"deflate\"",
	  .file_path = "deep/t.h5", .has_out_dir = true, .has_dates = true, .is_indexed = true, .missing = "",
	  .read_back = read_hdf5 },
#endif
#ifdef ENRG_HAS_ROOT
	{ .name = "root", .module = "root", .type = "DAQJobStoreROOT", .section_keys = "file_path = \"t.root\"",
	  .file_path = "t.root", .has_out_dir = true, .has_dates = true, .starts_files = true, .missing = "",
	  .read_back = read_root },
	{ .name = "root, rntuple", .module = "root", .type = "DAQJobStoreROOT",
	  .section_keys = "file_path = \"deep/t.root\"\nformat = \"rntuple\"\ncompression_type = \"LZ4\"",
	  .file_path = "deep/t.root", .has_out_dir = true, .has_dates = true, .starts_files = true,
	  .missing = "", .read_back = read_root },
#endif
};

const unsigned store_kind_count = sizeof(store_kinds) / sizeof(store_kinds[0]);
