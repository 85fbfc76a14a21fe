"""What a competent user would write instead, with what there is: the same server, the same work, nothing left out for speed."""
