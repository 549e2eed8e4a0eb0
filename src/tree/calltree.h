#ifndef TSPROF_TREE_CALLTREE_H
#define TSPROF_TREE_CALLTREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "model/profile.h"
#include "tree/view.h"

/*
 * The one tree behind report, fold and flame: stacks merged from the outermost
 * frame inwards.  Node 0 is the root ("all"); a parent's index is smaller than
 * its children's.
 */
struct calltree_frame {
	uint32_t function; /* string id */
	uint32_t module;   /* module id */
	uint32_t file;	   /* string id; set for GRANULARITY_LINE, else that of the first seen */
	uint32_t line;	   /* 0 unless GRANULARITY_LINE */
	uint64_t vaddr;	   /* 0 unless GRANULARITY_ADDRESS */
	uint8_t flags;	   /* enum frame_flags, and: */
	uint8_t is_label;  /* a process or thread, not code */
};

struct calltree_value {
	uint64_t weight_ns;
	uint64_t n_ticks; /* sum of sample.count: what "samples" means in every view */
	uint64_t n_rows;  /* samples as such: the trials behind a confidence interval */
};

struct calltree_node {
	uint32_t frame; /* into frames; meaningless in node 0 */
	uint32_t parent;
	uint32_t first_child;  /* 0: none */
	uint32_t next_sibling; /* 0: none */
	struct calltree_value self;
	struct calltree_value total;
};

struct calltree {
	const struct profile *profile; /* borrowed: names come from it */
	struct calltree_frame *frames;
	size_t n_frames, frames_capacity;
	struct calltree_node *nodes;
	size_t n_nodes, nodes_capacity;
	struct hash_index frame_index;
	struct hash_index node_index;
};

/* Samples are grouped by stack node first, so time follows unique stacks, not samples. */
int calltree_build(struct calltree *tree, const struct profile *profile, const struct view *view,
		   struct error *err);
void calltree_release(struct calltree *tree);

/* Borrowed. */
const char *calltree_frame_name(const struct calltree *tree, const struct calltree_frame *frame);

/* Children of every node by name, so that drawings do not depend on sampling order. */
int calltree_sort_by_name(struct calltree *tree);

#endif
