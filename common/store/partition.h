/* One task's column family while somebody has it open; shared by partition.c and cursor.c. */
#pragma once

#include "store/rocks.h"

struct mr_partition {
    mr_database *database;
    mr_family *family;
    rocksdb_writebatch_t *batch; /* empty between writes */
    mr_buf scratch;              /* of the writing thread */
};

/* Of the row that holds the progress: before every other row. */
mr_bytes mr_progress_key(void);
/* RocksDB's key of a row: in the partition's scratch memory, until that is used again. */
mr_bytes mr_partition_row_key(mr_partition *partition, const mr_row *row);
/* Removes what a kill left of mr_partition_write_sorted. */
void mr_sorted_file_forget(const mr_partition *partition);
